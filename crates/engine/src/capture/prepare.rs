//! From a submission to what can be written: fields recognised, e-mail and phone normalised, identities hashed, scores
//! counted. Pure but for the keys; done in the request, before any lock is taken.

use std::sync::atomic::{AtomicU8, Ordering};

use leadline_domain::{
    context::Context,
    emails::Email,
    fields::{FieldMapping, Recognised, as_sent, recognise},
    fraud::{self, HoldFacts},
    phones::Phone,
    scores::{self, Channel, FormTokenFact, PhoneFact, Score, Scoring, SuspicionFacts},
    values::ToldValues,
};
use leadline_store::capture::IdentityKey;
use serde_json::{Map, Value, json};

use super::{Submission, conversations, detection::Detection, form_token, standing::Standing, values};
use crate::{addresses, seal::Keys};

/// A submission ready to be written.
#[derive(Debug)]
pub struct Prepared {
    /// As it came in.
    pub submission: Submission,
    /// What its fields mean.
    pub recognised: Recognised,
    /// What the lead is called: name, else e-mail, else phone, else the source.
    pub name: String,
    /// The canonical e-mail address.
    pub email: Option<String>,
    /// The phone number in E.164.
    pub phone: Option<String>,
    /// The phone's country, as an ISO region.
    pub region: Option<String>,
    /// Custom fields, with what could not be used as e-mail.
    pub custom_fields: Map<String, Value>,
    /// What it says of the lead's worth.
    pub values: ToldValues,
    /// The hashed identities inside the project.
    pub identities: Identities,
    /// The hashed identities inside the workspace.
    pub contact_identities: ContactIdentities,
    /// Whom the answer is for, where it is made up.
    pub person_key: Option<IdentityKey>,
    /// The visitor's and the address's keys inside the workspace, by which visits are counted.
    pub visitor_keys: [Option<IdentityKey>; 2],
    /// How suspicious it is by itself, and why.
    pub suspicion: Score,
    /// What was found out about the visitor.
    pub context: Context,
    /// What its form token says; `None` where our script has no part in it.
    pub form_token: Option<FormTokenFact>,
    /// Whether it is somebody's test.
    pub is_test: bool,
    /// Whether it may still be committed.
    pub claim: Claim,
}

/// Whether a submission is committed by the writer that has it, or was taken to the spool by whoever waited for that.
/// One of them gets it, so that what the spool tells destinations is not told again by a batch that was merely slow.
#[derive(Debug, Default)]
pub struct Claim(AtomicU8);

const OPEN: u8 = 0;
const HELD: u8 = 1;
const ABANDONED: u8 = 2;

impl Claim {
    /// Takes it for a commit that follows at once; false where it was abandoned.
    pub(super) fn hold(&self) -> bool {
        let before = self.0.compare_exchange(OPEN, HELD, Ordering::SeqCst, Ordering::SeqCst);
        before.is_ok() || before == Err(HELD)
    }

    /// Takes it from the writer; false where its commit may be under way.
    pub(super) fn abandon(&self) -> bool {
        self.0.compare_exchange(OPEN, ABANDONED, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.0.load(Ordering::SeqCst) == ABANDONED
    }
}

/// What names the lead inside its project.
#[derive(Debug, Clone, Copy, Default)]
pub struct Identities {
    /// By the id that an inbound provider gave the lead; inside its source.
    pub record: Option<IdentityKey>,
    /// By the embed script's id.
    pub visitor: Option<IdentityKey>,
    /// By e-mail.
    pub email: Option<IdentityKey>,
    /// By phone.
    pub phone: Option<IdentityKey>,
    /// By IP address, for browser submissions.
    pub ip: Option<IdentityKey>,
}

/// What names the person inside the workspace.
#[derive(Debug, Clone, Copy, Default)]
pub struct ContactIdentities {
    /// By e-mail.
    pub email: Option<IdentityKey>,
    /// By phone.
    pub phone: Option<IdentityKey>,
}

/// There is no name, e-mail or phone in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nothing;

/// Prepares a submission.
///
/// # Errors
/// [`Nothing`] where there is nobody to make a lead of.
pub fn prepare(keys: &Keys, submission: Submission) -> Result<Prepared, Nothing> {
    if let Standing::Blocked { .. } = &submission.standing {
        return Ok(turned_away(keys, submission));
    }
    let mapping: FieldMapping = submission
        .intake
        .source_settings
        .get("fieldMapping")
        .and_then(|mapping| serde_json::from_value(mapping.clone()).ok())
        .unwrap_or_default();
    let mut recognised = recognise(&submission.fields, &mapping);
    conversations::leave_out(&submission, &mut recognised);
    if let Some(inbound) = &submission.inbound {
        recognised.as_sent = as_sent(&inbound.sent);
    }
    if let Some(imported) = &submission.imported {
        recognised.as_sent = as_sent(&imported.sent);
    }
    let record = submission.inbound.as_ref().and_then(|inbound| inbound.record.as_deref());
    // A provider that has an id for the lead may tell the rest later.
    let names_somebody = recognised.name.is_some()
        || recognised.email_raw.is_some()
        || recognised.phone_raw.is_some()
        || record.is_some();
    if !names_somebody {
        return Err(Nothing);
    }
    let country = |settings: &'_ Value| settings.get("defaultCountry").and_then(Value::as_str).map(str::to_owned);
    let default_region =
        country(&submission.intake.source_settings).or_else(|| country(&submission.intake.workspace_settings));
    let default_region = default_region.as_deref();
    let email = recognised.email_raw.as_deref().and_then(Email::parse);
    let phone = recognised
        .phone_raw
        .as_deref()
        .and_then(|raw| Phone::parse(raw, default_region, recognised.country_code.as_deref()));
    let mut context = submission.request.context.clone();
    context.read_timezone(recognised.timezone.as_deref());
    let token = form_token_fact(keys, &submission, &recognised);
    let suspicion = suspicion(&submission, &recognised, email.as_ref(), phone.is_some(), (&context, token), None);
    let is_test = is_test(&submission, email.as_ref());
    let (project, workspace) = (submission.intake.project_id.0, submission.intake.workspace_id.0);
    let project_key = |kind, value: &str| IdentityKey(keys.identity(project, kind, value));
    let workspace_key = |kind, value: &str| IdentityKey(keys.identity(workspace, kind, value));
    let source = submission.intake.source_id.map_or(project, |source| source.0);
    let record = record.map(|record| IdentityKey(keys.identity(source, "record", record)));
    let email_text = email.as_ref().map(|email| email.canonical.clone());
    let e164 = phone.as_ref().map(|phone| phone.e164.clone());
    let ip = submission.request.ip.as_deref().filter(|_| submission.request.is_browser);
    let visitor = recognised.visitor_id.as_deref();
    let identities = Identities {
        record,
        visitor: visitor.map(|visitor| project_key("visitor", visitor)),
        email: email_text.as_deref().map(|email| project_key("email", email)),
        phone: e164.as_deref().map(|phone| project_key("phone", phone)),
        ip: ip.map(|ip| project_key("ip", ip)),
    };
    let mut custom_fields = custom_fields(&submission, &recognised, email.is_some());
    let values = values::take(&submission, &mapping, &mut custom_fields);
    Ok(Prepared {
        name: display_name(&recognised, e164.as_deref(), &submission.intake.source_name),
        person_key: identities.email.or(identities.phone).or(identities.visitor).or(identities.ip),
        visitor_keys: [
            visitor.map(|visitor| workspace_key("seen_visitor", visitor)),
            ip.map(|ip| workspace_key("seen_ip", ip)),
        ],
        identities,
        contact_identities: ContactIdentities {
            email: email_text.as_deref().map(|email| workspace_key("contact_email", email)),
            phone: e164.as_deref().map(|phone| workspace_key("contact_phone", phone)),
        },
        custom_fields,
        values,
        email: email_text,
        phone: e164,
        region: phone.and_then(|phone| phone.region),
        suspicion,
        context,
        form_token: token,
        is_test,
        claim: Claim::default(),
        recognised,
        submission,
    })
}

fn display_name(recognised: &Recognised, phone: Option<&str>, source_name: &str) -> String {
    [recognised.name.as_deref(), recognised.email_raw.as_deref(), phone, recognised.phone_raw.as_deref()]
        .into_iter()
        .flatten()
        .next()
        .unwrap_or(source_name)
        .chars()
        .take(200)
        .collect()
}

/// An e-mail that cannot be used is not lost: it stays readable as a custom field.
fn custom_fields(submission: &Submission, recognised: &Recognised, email_is_usable: bool) -> Map<String, Value> {
    let mut custom = recognised.custom.clone();
    if let Some(direct) = &submission.direct {
        merge_custom(&mut custom, &direct.custom_fields);
    }
    if let Some(raw) = recognised.email_raw.as_deref().filter(|_| !email_is_usable) {
        let mut unusable = Map::new();
        unusable.insert("unusableEmail".into(), raw.into());
        unusable.insert("_displayNames".into(), json!({"unusableEmail": "E-mail as entered"}));
        merge_custom(&mut custom, &unusable);
    }
    custom
}

/// Puts `newer` over `older`; display names are merged too. Empty values never overwrite.
pub(super) fn merge_custom(older: &mut Map<String, Value>, newer: &Map<String, Value>) {
    for (key, value) in newer {
        let is_empty = value.is_null() || value.as_str() == Some("");
        if is_empty {
            continue;
        }
        match (older.get_mut(key), value) {
            (Some(Value::Object(names)), Value::Object(more)) if key == "_displayNames" => {
                names.extend(more.clone());
            }
            _ => {
                older.insert(key.clone(), value.clone());
            }
        }
    }
}

/// What is recorded of a blocked address: nobody looks into its fields.
fn turned_away(keys: &Keys, submission: Submission) -> Prepared {
    let workspace = submission.intake.workspace_id.0;
    let request = &submission.request;
    let who = format!("{}\n{}", request.ip.as_deref().unwrap_or_default(), request.raw_body);
    Prepared {
        recognised: Recognised::default(),
        name: String::new(),
        email: None,
        phone: None,
        region: None,
        custom_fields: Map::new(),
        values: ToldValues::default(),
        identities: Identities::default(),
        contact_identities: ContactIdentities::default(),
        person_key: Some(IdentityKey(keys.identity(workspace, "blocked", &who))),
        visitor_keys: [None, None],
        suspicion: Score::default(),
        context: Context::default(),
        form_token: None,
        is_test: false,
        claim: Claim::default(),
        submission,
    }
}

fn is_test(submission: &Submission, email: Option<&Email>) -> bool {
    let ip = submission.request.ip.as_deref().filter(|_| submission.request.is_browser);
    Detection(&submission.intake.workspace_settings).is_test(ip.and_then(addresses::parse), email)
}

impl Prepared {
    /// How suspicious it is where its visitor came this often in 24 hours.
    pub(super) fn suspicion_after(&self, submissions_in_24h: Option<u32>) -> Score {
        let email = self.email.as_deref().and_then(Email::parse);
        suspicion(
            &self.submission,
            &self.recognised,
            email.as_ref(),
            self.phone.is_some(),
            (&self.context, self.form_token),
            submissions_in_24h,
        )
    }

    /// What holding it back is decided by, where it is this suspicious.
    pub(super) fn hold_facts(&self, suspicion: i32) -> HoldFacts {
        let submission = &self.submission;
        let detection = Detection(&submission.intake.workspace_settings);
        HoldFacts {
            is_from_browser: submission.request.is_browser,
            is_trusted: matches!(submission.standing, Standing::Trusted | Standing::Released { .. }),
            honeypot_caught: self.recognised.honeypot.is_some() && detection.catches_honeypots(),
            is_rate_limited: submission.standing == Standing::RateLimited,
            suspicion,
            hold_at: detection.hold_at(),
        }
    }

    /// Whether it may be held back, when all is known that the store knows.
    pub(super) fn may_be_held(&self) -> bool {
        let is_blocked = matches!(self.submission.standing, Standing::Blocked { .. });
        // Nobody is more suspicious than that.
        is_blocked || fraud::hold(&self.hold_facts(i32::MAX)).is_some()
    }
}

/// What the form token says of a browser's submission to a form. Whoever sends what only our script knows, has the
/// script; a form without it has no token, and is none the worse for it.
fn form_token_fact(keys: &Keys, submission: &Submission, recognised: &Recognised) -> Option<FormTokenFact> {
    let has_our_script = recognised.form_token.is_some()
        || recognised.time_to_submit_ms.is_some()
        || recognised.visitor_id.is_some()
        || recognised.session_id.is_some();
    // What a person let out of quarantine has waited there.
    let is_released = matches!(submission.standing, Standing::Released { .. });
    let applies = submission.request.is_browser && submission.intake.kind == "form" && !is_released;
    let token = recognised.form_token.as_deref();
    (applies && has_our_script).then(|| form_token::check(keys, token, submission.received_at))
}

fn suspicion(
    submission: &Submission,
    recognised: &Recognised,
    email: Option<&Email>,
    phone_is_valid: bool,
    (context, form_token): (&Context, Option<FormTokenFact>),
    submissions_in_24h: Option<u32>,
) -> Score {
    let detection = Detection(&submission.intake.workspace_settings);
    let channel = if submission.request.is_browser { Channel::Browser } else { Channel::Other };
    let phone = if phone_is_valid { PhoneFact::Valid } else { PhoneFact::Invalid };
    // Where detection is on, a person looked at what filled the honeypot, or its address is trusted.
    let honeypot_counts = !detection.catches_honeypots();
    let facts = SuspicionFacts {
        channel,
        honeypot_filled: honeypot_counts && recognised.honeypot.is_some(),
        time_to_submit_ms: recognised.time_to_submit_ms,
        // What a tracker would tell is unknown yet, and the unknown never scores.
        session: None,
        network: context.network_fact(),
        submissions_in_24h,
        competitor_email: email.and_then(|email| detection.is_competitors(email)),
        disposable_email: email.map(Email::is_disposable),
        phone: recognised.phone_raw.as_ref().map(|_| phone),
        name: recognised.name.as_deref(),
        message: recognised.message.as_deref(),
        form_token,
        user_agent: submission.request.user_agent.as_deref(),
        timezone_far_from_ip: context.timezone_is_far(),
    };
    scores::suspicion(&facts, &Scoring::of(&submission.intake.workspace_settings).weights)
}
