//! The API of the dashboard and of programs with a token, by what it is about. Each module lists its routes with what
//! they need; here they come together.

mod alerts;
mod analysis;
mod assignment_rules;
mod attachments;
mod audit;
mod automations;
mod board;
mod campaigns;
mod captures;
mod channels;
mod chats;
mod contacts;
mod context;
mod conversations;
mod custom_fields;
mod deliveries;
mod destinations;
pub(crate) mod exports;
mod forms;
mod fraud;
mod imports;
mod inbox;
mod invitations;
mod jobs;
mod lead_views;
mod leads;
mod ledger;
mod mails;
pub(crate) mod masking;
mod message_templates;
mod messages;
mod personal_alerts;
mod pipelines;
mod privacy;
mod projects;
mod replays;
mod reports;
mod requests;
mod retention;
mod roles;
mod sandbox;
mod scoring;
mod second_factor;
mod segments;
mod session;
mod setup;
mod sign_in;
mod sign_in_provider;
mod sites;
mod source_health;
mod submissions;
mod tasks;
mod templates;
mod tokens;
mod users;
mod views;
mod webhooks;
mod widgets;
mod work_settings;
mod workspace;

use utoipa_axum::router::OpenApiRouter;

use crate::{app::App, live};

/// Every route of the API, with its description.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .merge(setup::routes())
        .merge(session::routes())
        .merge(sign_in::routes())
        .merge(sign_in_provider::routes())
        .merge(workspace::routes())
        .merge(users::routes())
        .merge(roles::routes())
        .merge(invitations::routes())
        .merge(second_factor::routes())
        .merge(tokens::routes())
        .merge(audit::routes())
        .merge(privacy::routes())
        .merge(retention::routes())
        .merge(leads::routes())
        .merge(lead_views::routes())
        .merge(custom_fields::routes())
        .merge(board::routes())
        .merge(pipelines::routes())
        .merge(jobs::routes())
        .merge(imports::routes())
        .merge(contacts::routes())
        .merge(segments::routes())
        .merge(tasks::routes())
        .merge(personal_alerts::routes())
        .merge(assignment_rules::routes())
        .merge(work_settings::routes())
        .merge(automations::routes())
        .merge(exports::routes())
        .merge(reports::routes())
        .merge(projects::routes())
        .merge(forms::routes())
        .merge(webhooks::routes())
        .merge(requests::routes())
        .merge(sites::routes())
        .merge(source_health::routes())
        .merge(ledger::routes())
        .merge(alerts::routes())
        .merge(mails::routes())
        .merge(submissions::routes())
        .merge(widgets::routes())
        .merge(chats::routes())
        .merge(captures::routes())
        .merge(conversations::routes())
        .merge(channels::routes())
        .merge(sandbox::routes())
        .merge(message_templates::routes())
        .merge(messages::routes())
        .merge(campaigns::routes())
        .merge(attachments::routes())
        .merge(inbox::routes())
        .merge(fraud::routes())
        .merge(scoring::routes())
        .merge(destinations::routes())
        .merge(templates::routes())
        .merge(deliveries::routes())
        .merge(replays::routes())
        .merge(analysis::routes())
        .merge(live::routes())
}
