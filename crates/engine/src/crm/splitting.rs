//! Splitting one submission off a lead into a lead of its own: for one that was taken for somebody else's.
//!
//! The submission moves with everything that came with it, and what the old lead had from it alone goes as well: name,
//! e-mail, phone, message, and what it was known by, so that the same sender is not taken for the old lead again. What
//! people changed since stays. Merging the two puts them together again.

use leadline_domain::{
    attribution::Touch,
    fields::{self, FieldMapping, RawFields, Recognised},
    ids::{ContactId, LeadId, SubmissionId},
    phones::Phone,
    rank::Rank,
    scores::{self, LeadFields, Scoring},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    capture::{self, Identity, IdentityKey, NewContact, NewLead},
    leads::{
        self, Details, Locked,
        merging::{self, Absorbed},
        splitting::{self as stored, Leaving, Said},
    },
    pipelines::{self, Stage},
    search, workspaces,
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Contention, Record, identities, leads::score, retrying, text::clean};
use crate::{Actor, Engine, random_bytes, reasons};

const REASON_MAX_CHARS: usize = 500;

/// Why a submission was not split off.
#[derive(Debug, thiserror::Error)]
pub enum SplitOffError {
    /// There is no such lead, or it has no such submission.
    #[error("there is no such submission of this lead")]
    NotFound,
    /// The lead is deleted.
    #[error("the lead is deleted")]
    Deleted,
    /// Nothing would be left of the lead.
    #[error("it is the only submission of the lead")]
    OnlyOne,
    /// The reason is too long.
    #[error("a reason has at most {REASON_MAX_CHARS} characters")]
    ReasonTooLong,
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] Error),
}

impl Contention for SplitOffError {
    fn is_contended(&self) -> bool {
        matches!(self, Self::Internal(Error::Contended))
    }
}

/// Splits a submission off and tells the lead that it is now.
///
/// # Errors
/// Where that cannot be done.
pub async fn split_off(
    engine: &Engine,
    actor: &Actor,
    lead: LeadId,
    submission: SubmissionId,
    reason: Option<&str>,
) -> Result<LeadId, SplitOffError> {
    let reason = reason.and_then(clean);
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > REASON_MAX_CHARS) {
        return Err(SplitOffError::ReasonTooLong);
    }
    let reader = engine.store.reader();
    let settings = workspaces::find(&reader, actor.workspace).await?.map(|found| found.settings).unwrap_or_default();
    let found = leads::find(&reader, actor.workspace, lead).await?.ok_or(SplitOffError::NotFound)?;
    let pipeline = found.card.pipeline_id;
    retrying(|| async {
        let mut tx = engine.store.begin().await?;
        let stage = pipelines::entry_stage(&mut tx, actor.workspace, pipeline).await?.ok_or(Error::Contended)?;
        let desk = Desk { engine, actor, settings: &settings, scoring: Scoring::of(&settings), stage };
        desk.split(tx, lead, submission, reason.as_deref()).await
    })
    .await
}

/// What a split is done with.
struct Desk<'a> {
    engine: &'a Engine,
    actor: &'a Actor,
    settings: &'a Value,
    scoring: Scoring,
    /// Where the new lead comes into.
    stage: Stage,
}

impl Desk<'_> {
    async fn split(
        &self,
        mut tx: Tx,
        lead: LeadId,
        submission: SubmissionId,
        reason: Option<&str>,
    ) -> Result<LeadId, SplitOffError> {
        let (engine, actor) = (self.engine, self.actor);
        let now = engine.clock.now();
        let found = leads::lock(&mut tx, actor.workspace, &[lead]).await?.pop().ok_or(SplitOffError::NotFound)?;
        if found.deleted_at.is_some() {
            return Err(SplitOffError::Deleted);
        }
        let leaving = stored::lock(&mut tx, actor.workspace, lead, submission).await?;
        let leaving = leaving.ok_or(SplitOffError::NotFound)?;
        let others = stored::others(&mut tx, actor.workspace, lead, submission).await?;
        if others.is_empty() {
            return Err(SplitOffError::OnlyOne);
        }
        let recognised = self.recognised(&leaving);
        let mut record = Record::new(engine, actor);
        let fields = self.take_back(&mut tx, &found, &leaving, &others, now).await?;
        self.release(&mut tx, &found, &leaving, &others, &recognised).await?;
        let contact = self.contact(&mut tx, &found, &leaving, now).await?;
        let made = self.lead(&found, &leaving, &recognised, contact, now);
        capture::insert_leads(&mut tx, std::slice::from_ref(&made)).await?;
        leads::claim_free_identities(&mut tx, &self.keys(made.id.0, &found, &leaving, &recognised)).await?;
        let mut because = leaving.match_reason.clone();
        if !because.is_object() {
            because = json!({});
        }
        because["splitFrom"] = json!(lead);
        because["splitReason"] = json!(reason);
        stored::move_submission(&mut tx, actor.workspace, &leaving, (made.id, contact), &because).await?;
        if let Some(visitor) = &recognised.visitor_id {
            stored::share_visitor(&mut tx, actor.workspace, visitor, (lead, made.id)).await?;
        }
        let off = json!({"submissionId": submission, "leadId": made.id, "reason": reason});
        record.activity(lead, "submission.split_off", off);
        let from = json!({"submissionId": submission, "leadId": lead, "reason": reason});
        record.activity(made.id, "lead.made_by_split", from);
        record.event(lead, "lead.updated", (found.pipeline_id, found.stage_id), json!({"fields": fields}));
        record.event(made.id, "lead.split", (made.pipeline_id, made.stage_id), json!({"from": lead}));
        record.count((made.pipeline_id, made.stage_id), 1, 0);
        record.commit(tx).await?;
        Ok(made.id)
    }

    fn recognised(&self, leaving: &Leaving) -> Recognised {
        let sent: Map<String, Value> = serde_json::from_str(&leaving.payload).unwrap_or_default();
        let mapping = leaving.source_settings.as_ref().and_then(|settings| settings.get("fieldMapping"));
        let mapping: FieldMapping =
            mapping.and_then(|mapping| serde_json::from_value(mapping.clone()).ok()).unwrap_or_default();
        fields::recognise(&sent.into_iter().collect::<RawFields>(), &mapping)
    }

    /// Takes from the old lead what it had of the submission alone, and tells which fields that were.
    async fn take_back(
        &self,
        tx: &mut Tx,
        lead: &Locked,
        leaving: &Leaving,
        others: &[Said],
        now: Timestamp,
    ) -> Result<Vec<&'static str>, Error> {
        let said = &leaving.said;
        let mut fields = Vec::new();
        let mut kept = |field, own: &Option<String>, of: fn(&Said) -> &Option<String>| {
            let is_its_alone = own.is_some() && own == of(said) && !others.iter().any(|one| of(one) == own);
            if !is_its_alone {
                return own.clone();
            }
            fields.push(field);
            others.iter().find_map(|one| of(one).clone())
        };
        let email = kept("email", &lead.email, |said| &said.email);
        let phone = kept("phone", &lead.phone, |said| &said.phone);
        let message = kept("message", &lead.message, |said| &said.message);
        let name = kept("name", &Some(lead.name.clone()), |said| &said.name);
        let has_phone = phone == lead.phone;
        let name = name.or_else(|| email.clone()).or_else(|| phone.clone()).unwrap_or_else(|| lead.source_name.clone());
        let phone_raw = if has_phone { lead.phone_raw.clone() } else { phone.clone() };
        let mut details = Details {
            search_text: search::text(&name, email.as_deref(), phone.as_deref(), lead.company.as_deref()),
            name,
            email,
            phone,
            phone_raw,
            country_code: lead.country_code.clone().filter(|_| has_phone),
            company: lead.company.clone(),
            title: lead.title.clone(),
            custom_fields: Value::Object(lead.custom_fields.clone()),
            score: 0,
            score_reasons: json!([]),
            score_version: 0,
        };
        score(lead, &mut details, &self.scoring);
        leads::update_details(tx, self.actor.workspace, lead.id, &details, now).await?;
        identities::follow(tx, self.engine, self.actor, lead, &details).await?;
        let history = merging::history(tx, self.actor.workspace, lead.id).await?.ok_or(Error::Contended)?;
        let last = others.iter().map(|one| one.received_at).max().unwrap_or(history.last_submission_at);
        let absorbed = Absorbed {
            message,
            assigned_to: lead.assigned_to,
            submission_count: (history.submission_count - 1).max(1),
            last_submission_at: last,
            first_touch: history.first_touch,
            last_touch: history.last_touch,
        };
        merging::absorb(tx, self.actor.workspace, lead.id, &absorbed, now).await?;
        Ok(fields)
    }

    /// By what the sender of the submission is known in the project.
    fn keys(&self, subject: Uuid, lead: &Locked, leaving: &Leaving, recognised: &Recognised) -> Vec<Identity> {
        let said = &leaving.said;
        let known_by = [
            ("visitor", recognised.visitor_id.as_deref()),
            ("email", said.email.as_deref()),
            ("phone", said.phone.as_deref()),
            ("ip", leaving.ip.as_deref()),
        ];
        let identity = |(kind, value): (&'static str, Option<&str>)| {
            let key = IdentityKey(self.engine.keys.identity(lead.project_id.0, kind, value?));
            Some(Identity { key, kind, subject_id: subject, seen_at: said.received_at.0 })
        };
        known_by.into_iter().filter_map(identity).collect()
    }

    /// What the old lead was known by because of the submission names it no more. E-mail and phone stay where others of
    /// its submissions, or the lead itself, have them too.
    async fn release(
        &self,
        tx: &mut Tx,
        lead: &Locked,
        leaving: &Leaving,
        others: &[Said],
        recognised: &Recognised,
    ) -> Result<(), Error> {
        let said = &leaving.said;
        let stays = |identity: &&Identity| match identity.kind {
            "email" | "contact_email" => others.iter().any(|one| one.email == said.email),
            "phone" | "contact_phone" => others.iter().any(|one| one.phone == said.phone),
            _ => false,
        };
        let gone = |keys: Vec<Identity>| -> Vec<IdentityKey> {
            keys.iter().filter(|identity| !stays(identity)).map(|identity| identity.key).collect()
        };
        let of_lead = gone(self.keys(lead.id.0, lead, leaving, recognised));
        leads::release_identities(tx, &of_lead, lead.id.0).await?;
        let of_contact = gone(self.contact_keys(lead.contact_id, said));
        leads::release_identities(tx, &of_contact, lead.contact_id.0).await
    }

    fn contact_keys(&self, contact: ContactId, said: &Said) -> Vec<Identity> {
        let known_by = [("contact_email", said.email.as_deref()), ("contact_phone", said.phone.as_deref())];
        let identity = |(kind, value): (&'static str, Option<&str>)| {
            let key = IdentityKey(self.engine.keys.identity(self.actor.workspace.0, kind, value?));
            Some(Identity { key, kind, subject_id: contact.0, seen_at: said.received_at.0 })
        };
        known_by.into_iter().filter_map(identity).collect()
    }

    /// The person of the submission: whoever is known by its e-mail or phone, and else somebody new.
    async fn contact(&self, tx: &mut Tx, lead: &Locked, leaving: &Leaving, now: Timestamp) -> Result<ContactId, Error> {
        let said = &leaving.said;
        for identity in self.contact_keys(lead.contact_id, said) {
            let named = leads::find_identity(tx, identity.key).await?.map(ContactId);
            if let Some(contact) = named.filter(|contact| *contact != lead.contact_id) {
                return Ok(contact);
            }
        }
        let id = ContactId::new(now, random_bytes());
        let contact = NewContact {
            id,
            workspace_id: self.actor.workspace,
            display_name: name_of(leaving),
            email: said.email.clone(),
            phone_number: said.phone.clone(),
            lifecycle: "lead",
            tags: json!([]),
            column_data: json!({}),
            created_at: now.0,
            updated_at: now.0,
        };
        capture::insert_contacts(tx, &[contact]).await?;
        leads::claim_free_identities(tx, &self.contact_keys(id, said)).await?;
        Ok(id)
    }

    fn lead(
        &self,
        from: &Locked,
        leaving: &Leaving,
        recognised: &Recognised,
        contact: ContactId,
        now: Timestamp,
    ) -> NewLead {
        let said = &leaving.said;
        let region = self.settings["defaultCountry"].as_str();
        let phone = said.phone.as_deref().and_then(|phone| Phone::parse(phone, region, None));
        let touch = Touch { at: said.received_at, params: recognised.touch.clone() }.to_json();
        let name = name_of(leaving);
        let fit = scores::fit_of(
            &LeadFields {
                email: said.email.as_deref(),
                phone: said.phone.as_deref(),
                country: phone.as_ref().and_then(|phone| phone.region.as_deref()),
                name: &name,
                company: recognised.company.as_deref(),
                title: recognised.title.as_deref(),
                message: said.message.as_deref(),
                source: &leaving.source_name,
                custom_fields: &recognised.custom,
            },
            &self.scoring.weights,
        );
        NewLead {
            id: LeadId::new(now, random_bytes()),
            workspace_id: self.actor.workspace,
            project_id: from.project_id,
            contact_id: contact,
            pipeline_id: self.stage.pipeline_id,
            stage_id: self.stage.id,
            rank: Rank::at(now, u32::from_le_bytes(random_bytes())).as_str().to_owned(),
            search_text: search::text(
                &name,
                said.email.as_deref(),
                said.phone.as_deref().or(recognised.phone_raw.as_deref()),
                recognised.company.as_deref(),
            ),
            name,
            email: said.email.clone(),
            phone: said.phone.clone(),
            phone_raw: recognised.phone_raw.clone(),
            country_code: phone.and_then(|phone| phone.region),
            company: recognised.company.clone(),
            title: recognised.title.clone(),
            message: said.message.clone(),
            source: leaving.source.clone(),
            source_id: leaving.source_id,
            source_name: leaving.source_name.clone(),
            tags: json!([]),
            custom_fields: Value::Object(recognised.custom.clone()),
            score: reasons::total(None, fit.total, 0, 0, &self.scoring.weights),
            score_reasons: reasons::of_lead(&fit, 0),
            engagement: None,
            suspicion: 0,
            suspicion_reasons: json!([]),
            score_version: self.scoring.version,
            assigned_to: None,
            first_touch: recognised.first_touch.as_ref().map_or_else(|| touch.clone(), Touch::to_json),
            last_touch: touch,
            visitor_id: recognised.visitor_id.clone(),
            context: leaving.context.clone(),
            submission_count: 1,
            last_submission_at: said.received_at.0,
            stage_entered_at: now.0,
            is_test: false,
            version: 1,
            // It came when its submission came: reports count it there.
            created_at: said.received_at.0,
            updated_at: now.0,
        }
    }
}

fn name_of(leaving: &Leaving) -> String {
    let said = &leaving.said;
    let named = [&said.name, &said.email, &said.phone].into_iter().flatten().next();
    named.cloned().unwrap_or_else(|| leaving.source_name.clone())
}
