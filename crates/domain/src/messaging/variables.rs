//! What the placeholders of a message stand for: the lead as it is when the message goes out.

use serde_json::{Map, Value, json};

use crate::templates::{Form, Template, TemplateError};

/// The variable that is no matter of the lead: where whoever gets the message unsubscribes.
pub const UNSUBSCRIBE: &str = "unsubscribe_url";

/// The names of all variables, with what they stand for and an example for previews.
pub const VARIABLES: [(&str, &str, &str); 10] = [
    ("firstName", "The first word of the name", "Ada"),
    ("lastName", "The name behind its first word", "Lovelace"),
    ("name", "The whole name", "Ada Lovelace"),
    ("email", "The e-mail address", "ada@example.com"),
    ("phone", "The phone number", "+491701234567"),
    ("company", "The company", "Analytical Engines"),
    ("title", "The job title", "Programmer"),
    ("project", "The project that the lead is about", "Website"),
    (UNSUBSCRIBE, "Where whoever gets it unsubscribes", "https://example.com/u/example"),
    ("customFields", "A custom field by its key: customFields.budget", ""),
];

/// Who a message is to.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "they are called what they are")]
pub struct Person<'a> {
    /// The name that somebody gave; no stand-in.
    pub name: Option<&'a str>,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub company: Option<&'a str>,
    pub title: Option<&'a str>,
    pub project: Option<&'a str>,
    pub custom_fields: Map<String, Value>,
}

impl Person<'_> {
    /// What each variable stands for.
    #[must_use]
    pub fn values(&self) -> Value {
        let name = self.name.map(str::trim).unwrap_or_default();
        let (first, last) = name.split_once(char::is_whitespace).unwrap_or((name, ""));
        let mut fields = self.custom_fields.clone();
        fields.remove("_displayNames");
        json!({
            "firstName": first,
            "lastName": last.trim(),
            "name": name,
            "email": self.email,
            "phone": self.phone,
            "company": self.company,
            "title": self.title,
            "project": self.project,
            "customFields": fields,
        })
    }
}

/// Values to show a template with where there is no lead.
#[must_use]
pub fn examples() -> Value {
    let values = VARIABLES.iter().map(|(name, _, example)| ((*name).to_owned(), json!(example)));
    let mut values: Map<String, Value> = values.collect();
    values.insert("customFields".to_owned(), json!({}));
    Value::Object(values)
}

/// Reads a text with placeholders.
///
/// # Errors
/// The first thing that is wrong with it, and where.
pub fn parse(text: &str, form: Form) -> Result<Template, TemplateError> {
    Template::parse_text(text, form, is_known)
}

/// What a text with placeholders says to somebody. One that cannot be read says what is written there.
#[must_use]
pub fn fill(text: &str, form: Form, values: &Value) -> String {
    parse(text, form).map_or_else(|_| text.to_owned(), |template| template.fill(values))
}

/// Whether there is such a variable: `company`, `customFields.budget`.
#[must_use]
pub fn is_variable(name: &str) -> bool {
    let path: Vec<String> = name.splitn(2, '.').map(str::to_owned).collect();
    is_known(&path)
}

fn is_known(path: &[String]) -> bool {
    let [name, parts @ ..] = path else { return false };
    let is_there = VARIABLES.iter().any(|(known, _, _)| known == name);
    is_there && (name == "customFields") != parts.is_empty()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn ada() -> Value {
        let person = Person {
            name: Some(" Ada King  Lovelace"),
            email: Some("ada@example.com"),
            company: Some("<b>Engines</b> \"& Co\""),
            custom_fields: Map::from_iter([
                ("budget".to_owned(), json!(5_000)),
                ("note".to_owned(), json!("{{email}}")),
            ]),
            ..Person::default()
        };
        person.values()
    }

    #[rstest]
    #[case::names("Hi {{firstName}} {{ lastName }}!", "Hi Ada King  Lovelace!")]
    #[case::lines_and_quotes("\"{{email}}\"\n{{phone | default:'no phone'}}", "\"ada@example.com\"\nno phone")]
    #[case::fields("{{customFields.budget}}{{customFields.nothing}}", "5000")]
    #[case::a_value_is_no_template("{{customFields.note}}", "{{email}}")]
    #[case::as_it_is("{{company}}", "<b>Engines</b> \"& Co\"")]
    #[case::no_placeholder("100 % {sure}", "100 % {sure}")]
    fn a_text_is_filled_in(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(fill(text, Form::Text, &ada()), expected);
    }

    #[test]
    fn a_value_never_becomes_part_of_a_page() {
        let page = fill("<p title='{{company}}'>{{company}}</p>", Form::Html, &ada());

        let safe = "&lt;b&gt;Engines&lt;/b&gt; &quot;&amp; Co&quot;";
        assert_eq!(page, format!("<p title='{safe}'>{safe}</p>"));
    }

    #[rstest]
    #[case::unknown("Hi\n {{surname}}", 2, 2, "unknown_placeholder")]
    #[case::no_part("{{customFields}}", 1, 1, "unknown_placeholder")]
    #[case::open("Hi {{firstName", 1, 4, "invalid_placeholder")]
    #[case::filter("{{name | shout}}", 1, 1, "unknown_filter")]
    fn a_wrong_placeholder_is_pointed_at(
        #[case] text: &str,
        #[case] line: usize,
        #[case] column: usize,
        #[case] code: &str,
    ) {
        let error = parse(text, Form::Text).expect_err("refused");

        assert_eq!((error.line, error.column, error.code), (line, column, code));
    }
}
