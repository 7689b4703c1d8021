//! Looking at a template before anything is sent with it.

use leadline_domain::{
    destinations::ContentType,
    ids::{DeliveryId, LeadId},
    templates::TemplateError,
};
use leadline_store::{deliveries, destinations};
use uuid::Uuid;

use super::{
    EVENTS,
    payload::{Format, Sample, Shape, leadline::Workspace, of_picked, sample, template},
};
use crate::{Actor, Engine, random_bytes};

/// What a template would send.
#[derive(Debug)]
pub struct Preview {
    /// The body.
    pub payload: String,
    /// The lead that it tells of; `None` where that is made up.
    pub lead: Option<(LeadId, String)>,
}

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// It is no template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The workspace has no such lead.
    #[error("there is no such lead")]
    NotFound,
    /// Something failed that the caller can do nothing about.
    #[error("the store failed")]
    Internal(#[from] leadline_store::Error),
}

/// Fills a template in with a lead: the one that is named, or else the newest, or a made-up one where there is none or
/// `is_made_up` asks for it.
///
/// # Errors
/// Where it is no template, the lead is not there, or the store fails.
pub async fn preview(
    engine: &Engine,
    actor: &Actor,
    text: &str,
    content_type: ContentType,
    lead: Option<LeadId>,
    is_made_up: bool,
) -> Result<Preview, PreviewError> {
    template::parse(text, content_type)?;
    let shape = Shape::of(Format::Template.as_str(), Some(text), content_type);
    let reader = engine.store.reader();
    let environment = &engine.options.environment;
    let found = match is_made_up {
        true => None,
        false => deliveries::as_if_told(&reader, actor.workspace, lead).await?,
    };
    if let Some((picked, told)) = found {
        let payload = of_picked(&picked, Some(&told), &shape, environment, engine.clock.now());
        let payload = payload.unwrap_or_else(|not_sent| not_sent.reason);
        return Ok(Preview { payload, lead: picked.lead.map(|lead| (lead.id, lead.name)) });
    }
    if lead.is_some() && !is_made_up {
        return Err(PreviewError::NotFound);
    }
    let slugs = destinations::list_workspace_slugs(&reader, &[actor.workspace]).await?;
    let slug = slugs.into_iter().next().map(|(_, slug)| slug).unwrap_or_default();
    let now = engine.clock.now();
    let ids: [Uuid; 6] = std::array::from_fn(|_| DeliveryId::new(now, random_bytes()).0);
    let workspace = Workspace { id: actor.workspace, slug: &slug };
    let delivery_id = DeliveryId::new(now, random_bytes());
    let made_up = Sample { event: EVENTS[0], ids, delivery_id, workspace, environment, now };
    let payload = sample(&shape, &made_up).unwrap_or_else(|not_sent| not_sent.reason);
    Ok(Preview { payload, lead: None })
}
