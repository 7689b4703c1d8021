//! How a tree of conditions becomes SQL, once for both databases. Whatever somebody wrote is a parameter.

use std::collections::BTreeSet;

use leadline_domain::filters::{Bound, Condition, Field, Filter, Kind, LeadField, Test, TextMatch, TouchPart};
use uuid::Uuid;

use crate::{
    dialect::Dialect,
    search::escape,
    sql::{IntoParam, Param, json_set},
};

/// What a custom field holds that says yes, and what says no: visitors' forms have words of their own.
const YES: &str = "('true', 'yes', 'on', '1')";
const NO: &str = "('false', 'no', 'off', '0')";

/// Writes conditions. The parameters go behind those that are there; the columns that are read are gathered.
pub(super) struct Writing<'a> {
    pub(super) dialect: Dialect,
    pub(super) params: &'a mut Vec<Param>,
    pub(super) columns: &'a mut BTreeSet<&'static str>,
}

impl Writing<'_> {
    pub(super) fn filter(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::All(children) => self.group(children, " AND "),
            Filter::Any(children) => self.group(children, " OR "),
            Filter::None(children) if children.is_empty() => "TRUE".to_owned(),
            // What is not known is not so, and its opposite is.
            Filter::None(children) => {
                let each: Vec<String> = children.iter().map(|child| self.filter(child)).collect();
                format!("NOT coalesce(({}), FALSE)", each.join(" OR "))
            }
            Filter::Is(condition) => self.condition(condition),
        }
    }

    /// What costs least comes first, since the databases stop at what settles the answer.
    fn group(&mut self, children: &[Filter], between: &str) -> String {
        let mut children: Vec<&Filter> = children.iter().filter(|child| !child.is_empty()).collect();
        children.sort_by_key(|child| cost(child));
        let children: Vec<String> = children.into_iter().map(|child| self.filter(child)).collect();
        if children.is_empty() { "TRUE".to_owned() } else { format!("({})", children.join(between)) }
    }

    fn condition(&mut self, condition: &Condition) -> String {
        let text = match &condition.field {
            Field::Lead(LeadField::Tags) => self.tags(&condition.test),
            Field::Lead(LeadField::ContactTags) => self.contact_tags(&condition.test),
            Field::Lead(field) => self.lead(*field, &condition.test),
            Field::Custom { key, kind } => self.custom(key, *kind, &condition.test),
            Field::Contact { key } => self.contact(key, &condition.test),
        };
        // What is not known is not so, and its opposite is.
        if condition.is_negated { format!("NOT coalesce({text}, FALSE)") } else { format!("({text})") }
    }

    fn lead(&mut self, field: LeadField, test: &Test) -> String {
        let value = self.value(field);
        let is_text = matches!(field.description().kind, Kind::Text | Kind::Choice);
        match test {
            Test::Empty if is_text => format!("coalesce({value}, '') = ''"),
            Test::Empty => format!("{value} IS NULL"),
            Test::Number { from, until } => {
                // Whole numbers stay such, so that an index can be used.
                let whole = |bound: &Bound| (bound.value as i64).param();
                self.between(&value, [(from, ">"), (until, "<")], whole)
            }
            Test::Time { from, before } => {
                let from = from.map(|at| (at.param(), ">="));
                let before = before.map(|at| (at.param(), "<"));
                self.ends(&value, [from, before])
            }
            Test::Flag(flag) => format!("{value} = ${}", self.param(flag.param())),
            Test::Ids(ids) => self.ids(&value, ids),
            Test::OneOf(texts) => self.one_of(&value, texts),
            Test::Text { how, values } => self.text(&value, *how, values),
            // A list of texts is asked of tags alone, and days of custom fields.
            Test::Day { .. } | Test::HasAny(_) | Test::HasAll(_) => "FALSE".to_owned(),
        }
    }

    fn custom(&mut self, key: &str, kind: Kind, test: &Test) -> String {
        self.columns.insert("custom_fields");
        let key = self.param(self.dialect.json_key(key).param());
        let text = self.dialect.json_text_under("leads.custom_fields", key);
        match test {
            Test::Empty => format!("coalesce({text}, '') IN ('', '[]', '{{}}')"),
            Test::Number { from, until } => {
                let number = self.dialect.number_under("leads.custom_fields", key);
                self.between(&number, [(from, ">"), (until, "<")], |bound| bound.value.param())
            }
            Test::Day { from, before } => {
                let day = self.dialect.day_of(&text);
                let from = from.map(|day| (day.to_string().param(), ">="));
                let before = before.map(|day| (day.to_string().param(), "<"));
                self.ends(&day, [from, before])
            }
            Test::Flag(flag) => {
                format!("{} IN {}", self.dialect.folded(&text), if *flag { YES } else { NO })
            }
            Test::OneOf(texts) => self.one_of(&text, texts),
            Test::Text { how, values } => self.text(&text, *how, values),
            Test::HasAny(texts) => self.has_any(key, texts),
            Test::HasAll(texts) => {
                let each: Vec<String> =
                    texts.iter().map(|text| self.has_any(key, std::slice::from_ref(text))).collect();
                each.join(" AND ")
            }
            // Moments and ids are no kinds of custom fields.
            Test::Time { .. } | Test::Ids(_) => {
                debug_assert!(!matches!(kind, Kind::Text), "{kind:?} is not asked so");
                "FALSE".to_owned()
            }
        }
    }

    /// What is kept of the person, by the key of `contacts`.
    fn contact(&mut self, key: &str, test: &Test) -> String {
        self.columns.insert("contact_id");
        let key = self.param(self.dialect.json_key(key).param());
        let text = self.dialect.json_text_under("c.column_data", key);
        let text = format!("(SELECT {text} FROM contacts AS c WHERE c.id = leads.contact_id)");
        match test {
            Test::Text { how, values } => self.text(&text, *how, values),
            Test::Empty => format!("coalesce({text}, '') IN ('', '[]', '{{}}')"),
            // It is asked as text alone.
            Test::Number { .. }
            | Test::Time { .. }
            | Test::Day { .. }
            | Test::OneOf(_)
            | Test::Ids(_)
            | Test::Flag(_)
            | Test::HasAny(_)
            | Test::HasAll(_) => "FALSE".to_owned(),
        }
    }

    fn contact_tags(&mut self, test: &Test) -> String {
        self.columns.insert("contact_id");
        let mut has = |tags: &[String]| {
            let tags = self.param(json_set(tags));
            let has = self.dialect.json_list_has("c.tags", tags);
            format!("EXISTS (SELECT 1 FROM contacts AS c WHERE c.id = leads.contact_id AND {has})")
        };
        match test {
            Test::HasAny(tags) => has(tags),
            Test::HasAll(tags) => {
                let each: Vec<String> = tags.iter().map(|tag| has(std::slice::from_ref(tag))).collect();
                each.join(" AND ")
            }
            Test::Empty => {
                "NOT EXISTS (SELECT 1 FROM contacts AS c WHERE c.id = leads.contact_id AND c.tags <> '[]')".to_owned()
            }
            Test::Text { .. }
            | Test::Number { .. }
            | Test::Time { .. }
            | Test::Day { .. }
            | Test::OneOf(_)
            | Test::Ids(_)
            | Test::Flag(_) => "FALSE".to_owned(),
        }
    }

    fn has_any(&mut self, key: usize, texts: &[String]) -> String {
        let texts = self.param(json_set(texts));
        // A text that is alone is a list of one.
        let has = self.dialect.json_has_any("leads.custom_fields", key, texts);
        format!("coalesce({has}, FALSE)")
    }

    fn tags(&mut self, test: &Test) -> String {
        match test {
            Test::HasAny(tags) => self.has_tag(tags),
            Test::HasAll(tags) => {
                let each: Vec<String> = tags.iter().map(|tag| self.has_tag(std::slice::from_ref(tag))).collect();
                each.join(" AND ")
            }
            Test::Empty => {
                self.columns.insert("tags");
                format!("{} = '[]'", self.dialect.json_text("leads.tags"))
            }
            Test::Text { .. }
            | Test::Number { .. }
            | Test::Time { .. }
            | Test::Day { .. }
            | Test::OneOf(_)
            | Test::Ids(_)
            | Test::Flag(_) => "FALSE".to_owned(),
        }
    }

    /// By the key of `lead_tags`, of one lead after the other: without the offset PostgreSQL would make a join of it.
    fn has_tag(&mut self, tags: &[String]) -> String {
        self.columns.extend(["id", "workspace_id"]);
        let tags = self.param(json_set(tags));
        format!(
            "EXISTS (SELECT 1 FROM lead_tags AS t
                     WHERE t.workspace_id = leads.workspace_id AND t.lead_id = leads.id AND {}
                     LIMIT 1 OFFSET 0)",
            self.dialect.text_is_among("t.tag", tags),
        )
    }

    fn text(&mut self, value: &str, how: TextMatch, texts: &[String]) -> String {
        let value = self.dialect.folded(value);
        let forms: Vec<String> = texts.iter().flat_map(|text| forms(text)).collect();
        if how == TextMatch::Is {
            let forms = self.param(json_set(&forms));
            return format!("{value} IN {}", self.dialect.text_list(forms));
        }
        let mut like = |form: &String| {
            let form = escape(form);
            let pattern = match how {
                TextMatch::Is => form,
                TextMatch::Contains => format!("%{form}%"),
                TextMatch::Starts => format!("{form}%"),
                TextMatch::Ends => format!("%{form}"),
            };
            format!("{value} LIKE ${} ESCAPE '\\'", self.param(pattern.param()))
        };
        let each: Vec<String> = forms.iter().map(&mut like).collect();
        format!("({})", each.join(" OR "))
    }

    fn one_of(&mut self, value: &str, texts: &[String]) -> String {
        let texts = self.param(json_set(texts));
        format!("{value} IN {}", self.dialect.text_list(texts))
    }

    fn ids(&mut self, value: &str, ids: &[Uuid]) -> String {
        let ids = self.param(json_set(ids));
        format!("{value} IN {}", self.dialect.id_list(ids))
    }

    fn between(
        &mut self,
        value: &str,
        bounds: [(&Option<Bound>, &'static str); 2],
        param: impl Fn(&Bound) -> Param,
    ) -> String {
        let ends = bounds.map(|(bound, sign)| {
            let sign = match (sign, bound.as_ref().is_some_and(|bound| bound.is_included)) {
                (">", true) => ">=",
                ("<", true) => "<=",
                (sign, _) => sign,
            };
            bound.as_ref().map(|bound| (param(bound), sign))
        });
        self.ends(value, ends)
    }

    fn ends(&mut self, value: &str, ends: [Option<(Param, &'static str)>; 2]) -> String {
        let ends: Vec<String> = ends
            .into_iter()
            .flatten()
            .map(|(end, sign)| {
                let end = self.param(end);
                format!("{value} {sign} ${end}")
            })
            .collect();
        if ends.is_empty() { format!("{value} IS NOT NULL") } else { format!("({})", ends.join(" AND ")) }
    }

    fn param(&mut self, param: Param) -> usize {
        self.params.push(param);
        self.params.len()
    }

    fn value(&mut self, field: LeadField) -> String {
        let (columns, value): (&[&'static str], &str) = match field {
            LeadField::Name => (&["name"], "leads.name"),
            LeadField::Email => (&["email"], "leads.email"),
            LeadField::Phone => (&["phone", "phone_raw"], "coalesce(leads.phone, leads.phone_raw)"),
            LeadField::Country => (&["country_code"], "leads.country_code"),
            LeadField::Company => (&["company"], "leads.company"),
            LeadField::Title => (&["title"], "leads.title"),
            LeadField::Message => (&["message"], "leads.message"),
            LeadField::Source => (&["source"], "leads.source"),
            LeadField::SourceId => (&["source_id"], "leads.source_id"),
            LeadField::ProjectId => (&["project_id"], "leads.project_id"),
            LeadField::PipelineId => (&["pipeline_id"], "leads.pipeline_id"),
            LeadField::StageId => (&["stage_id"], "leads.stage_id"),
            LeadField::StageKind => {
                (&["stage_id"], "(SELECT s.kind FROM lead_pipeline_stages AS s WHERE s.id = leads.stage_id)")
            }
            LeadField::AssignedTo => (&["assigned_to"], "leads.assigned_to"),
            LeadField::Tags => (&["tags"], "leads.tags"),
            LeadField::Score => (&["score"], "leads.score"),
            LeadField::Engagement => (&["engagement"], "leads.engagement"),
            LeadField::Suspicion => (&["suspicion"], "leads.suspicion"),
            LeadField::IsTest => (&["is_test"], "leads.is_test"),
            LeadField::State => (&["lead_state"], "leads.lead_state"),
            LeadField::Lifecycle => {
                (&["contact_id"], "(SELECT c.lifecycle FROM contacts AS c WHERE c.id = leads.contact_id)")
            }
            LeadField::ContactTags => {
                (&["contact_id"], "(SELECT c.tags FROM contacts AS c WHERE c.id = leads.contact_id)")
            }
            LeadField::ContactSince => {
                (&["contact_id"], "(SELECT c.created_at FROM contacts AS c WHERE c.id = leads.contact_id)")
            }
            LeadField::SubmissionCount => (&["submission_count"], "leads.submission_count"),
            LeadField::ReturnVisits => (&["return_visits"], "leads.return_visits"),
            LeadField::PagesVisited => (&["pages_visited"], "leads.pages_visited"),
            LeadField::CreatedAt => (&["created_at"], "leads.created_at"),
            LeadField::UpdatedAt => (&["updated_at"], "leads.updated_at"),
            LeadField::LastSubmissionAt => (&["last_submission_at"], "leads.last_submission_at"),
            LeadField::StageEnteredAt => (&["stage_entered_at"], "leads.stage_entered_at"),
            LeadField::ConvertedAt => (&["converted_at"], "leads.converted_at"),
            LeadField::LastVisitAt => (&["last_visit_at"], "leads.last_visit_at"),
            LeadField::VisitorCountry => return self.inside("context", &["location", "country"]),
            LeadField::VisitorRegion => return self.inside("context", &["location", "region"]),
            LeadField::VisitorCity => return self.inside("context", &["location", "city"]),
            LeadField::DeviceKind => return self.inside("context", &["device", "kind"]),
            LeadField::Browser => return self.inside("context", &["device", "browser"]),
            LeadField::Os => return self.inside("context", &["device", "os"]),
            LeadField::Language => return self.inside("context", &["language"]),
            LeadField::FirstTouch(part) => return self.inside("first_touch", path(part)),
            LeadField::LastTouch(part) => return self.inside("last_touch", path(part)),
        };
        self.columns.extend(columns);
        value.to_owned()
    }

    fn inside(&mut self, column: &'static str, path: &[&str]) -> String {
        self.columns.insert(column);
        self.dialect.json_at(&format!("leads.{column}"), path)
    }
}

/// What a condition costs, roughly: a column, a part of a JSON text, a row of another table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cost {
    Column,
    Json,
    OtherTable,
}

fn cost(filter: &Filter) -> Cost {
    let condition = match filter {
        Filter::All(children) | Filter::Any(children) | Filter::None(children) => {
            return children.iter().map(cost).max().unwrap_or(Cost::Column);
        }
        Filter::Is(condition) => condition,
    };
    match condition.field {
        Field::Custom { .. } => Cost::Json,
        Field::Contact { .. } => Cost::OtherTable,
        Field::Lead(field) => match field {
            LeadField::StageKind
            | LeadField::Tags
            | LeadField::Lifecycle
            | LeadField::ContactTags
            | LeadField::ContactSince => Cost::OtherTable,
            LeadField::VisitorCountry
            | LeadField::VisitorRegion
            | LeadField::VisitorCity
            | LeadField::DeviceKind
            | LeadField::Browser
            | LeadField::Os
            | LeadField::Language
            | LeadField::FirstTouch(_)
            | LeadField::LastTouch(_) => Cost::Json,
            _ => Cost::Column,
        },
    }
}

fn path(part: TouchPart) -> &'static [&'static str] {
    match part {
        TouchPart::Channel => &["channel"],
        TouchPart::Source => &["source"],
        TouchPart::UtmSource => &["utmSource"],
        TouchPart::UtmMedium => &["utmMedium"],
        TouchPart::UtmCampaign => &["utmCampaign"],
        TouchPart::UtmTerm => &["utmTerm"],
        TouchPart::UtmContent => &["utmContent"],
        TouchPart::PageUrl => &["pageUrl"],
        TouchPart::Referrer => &["referrer"],
        TouchPart::Gclid => &["clickIds", "gclid"],
        TouchPart::Fbclid => &["clickIds", "fbclid"],
        TouchPart::Msclkid => &["clickIds", "msclkid"],
    }
}

/// The text as typed, in small letters, in capitals and with a capital in front, each with A to Z made small: a
/// database that folds those letters alone still finds `Ärzte` and `ÄRZTE` for `ärzte`.
fn forms(text: &str) -> Vec<String> {
    let small = text.to_lowercase();
    let mut letters = small.chars();
    let capitalised: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    let mut forms: Vec<String> = Vec::new();
    for form in [text, &small, &text.to_uppercase(), &capitalised] {
        let form = form.to_ascii_lowercase();
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}
