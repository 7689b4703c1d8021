//! What a campaign says to one person, before it is sent.

use leadline_domain::{
    campaigns::Audience,
    ids::{CampaignId, LeadId},
    messaging::{
        MessageChannel,
        variables::{self, Person, UNSUBSCRIBE},
    },
    names,
    templates::Form,
};
use leadline_store::{
    campaigns::{self as stored, Campaign, recipients},
    leads::{self, Lead, LeadFilter, SortBy, SortOrder},
    message_templates,
};
use serde_json::Value;

use super::{CampaignError, Wrong, gathering};
use crate::{Actor, Engine};

/// What somebody would get.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Who; nobody where the campaign goes to nobody yet.
    pub lead: Option<Lead>,
    /// Of e-mail.
    pub subject: Option<String>,
    /// The text.
    pub body: String,
    /// Of e-mail: the page.
    pub body_html: Option<String>,
    /// Where it would go; none where it cannot.
    pub address: Option<String>,
}

/// What a campaign says to a lead; to the first of its audience where none is named.
///
/// # Errors
/// Where there is no such campaign or lead, it says nothing yet, or the store fails.
pub async fn preview(
    engine: &Engine,
    actor: &Actor,
    id: CampaignId,
    (lead, variant): (Option<LeadId>, i64),
) -> Result<Preview, CampaignError> {
    let reader = engine.store.reader();
    let campaign = stored::find(&reader, actor.workspace, id).await?.ok_or(CampaignError::NotFound)?;
    let missing = |pointer: &str, text: &str| CampaignError::Invalid(vec![Wrong::new(pointer, text)]);
    let template = match campaign.template_id {
        Some(id) => message_templates::find(&reader, actor.workspace, id).await?,
        None => None,
    };
    let template = template.ok_or_else(|| missing("/templateId", "is needed for a preview"))?;
    let lead = match lead {
        Some(id) => {
            let found = leads::find(&reader, actor.workspace, id).await?.filter(|lead| lead.deleted_at.is_none());
            Some(found.ok_or_else(|| missing("/leadId", "is no lead of this workspace"))?)
        }
        None => first(engine, actor, &campaign).await?,
    };
    let mut values = campaign.content.values(&lead.as_ref().map_or_else(variables::examples, values));
    values[UNSUBSCRIBE] = Value::String(format!("{}/u/preview", engine.options.public_url));
    let fill = |text: &str, form: Form| variables::fill(text, form, &values);
    let subject = campaign.content.subject(variant).or(template.subject.as_deref());
    let address = lead.as_ref().and_then(|lead| match campaign.channel {
        MessageChannel::Email => lead.card.email.clone(),
        MessageChannel::Whatsapp | MessageChannel::Sms => lead.card.phone.clone(),
    });
    Ok(Preview {
        subject: subject.map(|subject| fill(subject, Form::Text)),
        body: fill(&template.body, Form::Text),
        body_html: template.body_html.as_deref().map(|page| fill(page, Form::Html)),
        address,
        lead,
    })
}

fn values(lead: &Lead) -> Value {
    let card = &lead.card;
    let person = Person {
        name: names::given(&card.name, &card.source_name),
        email: card.email.as_deref(),
        phone: card.phone.as_deref(),
        company: card.company.as_deref(),
        title: card.title.as_deref(),
        project: lead.project_name.as_deref(),
        custom_fields: card.custom_fields.clone(),
    };
    person.values()
}

/// Somebody of whom it is likely that they get it.
async fn first(engine: &Engine, actor: &Actor, campaign: &Campaign) -> Result<Option<Lead>, CampaignError> {
    let reader = engine.store.reader();
    let id = match campaign.audience {
        None => None,
        Some(Audience::Audience { audience_id }) => recipients::first_of(&reader, actor.workspace, audience_id).await?,
        Some(Audience::Segment { segment_id }) => match gathering::asked(engine, campaign, segment_id).await? {
            Some(filter) => newest(engine, actor, &filter).await?,
            None => None,
        },
        Some(Audience::Unanswered { campaign_id }) => {
            recipients::walk(&reader, actor.workspace, campaign_id, (None, 1)).await?.first().map(|one| one.lead_id)
        }
    };
    match id {
        Some(id) => Ok(leads::find(&reader, actor.workspace, id).await?.filter(|lead| lead.deleted_at.is_none())),
        None => Ok(None),
    }
}

async fn newest(engine: &Engine, actor: &Actor, filter: &LeadFilter) -> Result<Option<LeadId>, CampaignError> {
    let order = (SortBy::CreatedAt, SortOrder::Descending);
    let found = leads::list(&engine.store.reader(), actor.workspace, filter, order, (1, 0)).await?;
    Ok(found.rows.first().map(|lead| lead.id))
}
