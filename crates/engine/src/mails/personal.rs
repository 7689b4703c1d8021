//! E-mail to one user, of what is theirs to look at. It names no person behind a lead: mail leaves the house.

use leadline_domain::{
    ids::{LeadId, MailId, PersonalAlertId, WorkspaceId, derived},
    personal_alerts::AlertKind,
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    mails::{self, NewMail},
    workers::Worker,
};

use crate::Engine;

/// Something that one user is told of by e-mail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Personal<'a> {
    pub(crate) worker: &'a Worker,
    pub(crate) kind: AlertKind,
    /// The alert that it tells of. What tells of the same alert again is not sent.
    pub(crate) id: PersonalAlertId,
    pub(crate) lead: Option<LeadId>,
    /// How many things it stands for.
    pub(crate) count: i64,
    /// What a task that is about no lead is called.
    pub(crate) title: Option<&'a str>,
}

/// Queues messages, where a server is set up.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn queue_personal(
    engine: &Engine,
    tx: &mut Tx,
    workspace: WorkspaceId,
    personal: &[Personal<'_>],
    now: Timestamp,
) -> Result<(), Error> {
    if engine.options.mailer.is_none() || personal.is_empty() {
        return Ok(());
    }
    let mails: Vec<NewMail> = personal
        .iter()
        .map(|one| {
            let (subject, body) = words(one, &engine.options.public_url);
            NewMail {
                id: MailId(derived("leadline personal mail v1", &[one.id.0.as_bytes()])),
                workspace_id: workspace,
                user_id: one.worker.id,
                recipient: one.worker.email.clone(),
                subject,
                body,
                created_at: now.0,
            }
        })
        .collect();
    if mails::insert_set(tx, &mails).await? > 0 {
        // Before the commit: whoever wakes too early finds the message at the next look.
        engine.wake.mails.notify_one();
    }
    Ok(())
}

fn words(one: &Personal<'_>, public_url: &str) -> (String, String) {
    let many = one.count > 1;
    let count = one.count;
    let title = one.title.map(|title| format!(": {}", super::words::short(title))).unwrap_or_default();
    let (subject, what) = match one.kind {
        AlertKind::LeadAssigned if many => {
            (format!("{count} leads are yours"), format!("{count} leads were given to you."))
        }
        AlertKind::LeadAssigned => ("A lead is yours".to_owned(), "A lead was given to you.".to_owned()),
        AlertKind::LeadReturned if many => {
            (format!("{count} of your leads came back"), format!("{count} of your leads wrote again."))
        }
        AlertKind::LeadReturned => {
            ("A lead of yours came back".to_owned(), "Somebody whose lead is yours wrote again.".to_owned())
        }
        AlertKind::ResponseOverdue | AlertKind::ResponseEscalated if many => (
            format!("{count} leads wait for an answer"),
            format!("{count} leads had no first answer in the time that was set for it."),
        ),
        AlertKind::ResponseOverdue | AlertKind::ResponseEscalated => (
            "A lead waits for an answer".to_owned(),
            "A lead had no first answer in the time that was set for it.".to_owned(),
        ),
        AlertKind::TaskReminder => {
            (format!("A reminder{title}"), format!("You wanted to be reminded of a task{title}."))
        }
        AlertKind::TaskOverdue => {
            (format!("A task is overdue{title}"), format!("A task should have been done{title}."))
        }
        AlertKind::TaskAssigned => (format!("A task for you{title}"), format!("Somebody gave you a task{title}.")),
    };
    let page = one.lead.map_or_else(
        || {
            if matches!(one.kind, AlertKind::LeadAssigned) {
                "/leads?assignedTo=me".to_owned()
            } else {
                "/tasks".to_owned()
            }
        },
        |lead| format!("/leads/{lead}"),
    );
    let body = format!(
        "{what}\n\n{public_url}{page}\n\n-- \nYou get this because you work with Leadline. What it tells you of by \
         e-mail: {public_url}/settings/my-alerts\n"
    );
    (format!("Leadline: {subject}"), body)
}
