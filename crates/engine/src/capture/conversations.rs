//! What a submission of a widget or a chat leaves beside its lead: a conversation, and marks on the person. The rows go
//! into the same transaction as everything else of the batch.

use std::collections::BTreeMap;

use leadline_domain::{
    fields::Recognised,
    ids::{ContactId, ConversationId, LeadId, SourceId, SubmissionId, derived},
    widgets::Reference,
};
use leadline_store::{
    Error, Tx,
    conversations::{self, LeadState, Mark, NewConversation},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Prepared, Submission};

/// The tag of everybody who came by a widget.
const WIDGET_TAG: &str = "lead-widget";

/// How far a chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatState {
    /// The visitor is being talked to.
    InProgress,
    /// It is over.
    Completed,
}

impl ChatState {
    /// As it is stored and told.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
        }
    }
}

/// The chat that a submission was read from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChatPart {
    /// The chat's id, as its sender calls it.
    pub chat_id: String,
    /// How far it is.
    pub state: ChatState,
    /// Whether it has a lead already, which this submission completes.
    pub is_update: bool,
}

/// The conversation that a widget's submission opens. It follows from the submission, so that an answer and a delivery
/// can name it while the store is away.
#[must_use]
pub fn of_submission(submission: SubmissionId) -> ConversationId {
    ConversationId(derived("leadline conversation v1", &[submission.0.as_bytes()]))
}

/// The conversation that a chat is.
#[must_use]
pub fn of_chat(source: Option<SourceId>, chat_id: &str) -> ConversationId {
    let source = source.map(|source| source.0).unwrap_or_default();
    ConversationId(derived("leadline chat v1", &[source.as_bytes(), chat_id.as_bytes()]))
}

/// The conversation that a submission belongs to, where it belongs to one.
#[must_use]
pub fn of(submission: &Submission) -> Option<ConversationId> {
    if let Some(chat) = &submission.chat {
        return Some(of_chat(submission.intake.source_id, &chat.chat_id));
    }
    is_widget(submission).then(|| of_submission(submission.id))
}

pub(super) fn is_widget(submission: &Submission) -> bool {
    submission.intake.kind == "widget"
}

/// A widget that does not ask for a name takes none: the person is called by their number.
pub(super) fn leave_out(submission: &Submission, recognised: &mut Recognised) {
    let asks_for_a_name = submission.intake.source_settings.get("nameField") != Some(&Value::Bool(false));
    if is_widget(submission) && !asks_for_a_name {
        recognised.name = None;
    }
}

/// Whether it tells more of a lead that its chat has made before.
pub(super) fn is_update(prepared: &Prepared) -> bool {
    prepared.submission.chat.as_ref().is_some_and(|chat| chat.is_update)
}

/// Adds to an event which conversation it belongs to, and how far that is.
pub(super) fn tell(data: &mut Value, prepared: &Prepared) {
    let Some(conversation) = of(&prepared.submission) else { return };
    data["conversationId"] = json!(conversation);
    if let Some(chat) = &prepared.submission.chat {
        data["state"] = chat.state.as_str().into();
    }
}

/// The rows of a batch.
#[derive(Default)]
pub(super) struct Rows {
    conversations: BTreeMap<ConversationId, NewConversation>,
    marks: Vec<Mark>,
    states: BTreeMap<LeadId, LeadState>,
}

impl Rows {
    /// Takes what a submission leaves, once its lead and its person are known.
    pub(super) fn take(&mut self, prepared: &Prepared, lead: LeadId, contact: Option<ContactId>) {
        let submission = &prepared.submission;
        let Some(id) = of(submission) else { return };
        let chat = submission.chat.as_ref();
        self.conversations.insert(id, row(id, submission, lead, contact));
        if let Some(chat) = chat {
            self.states.insert(lead, LeadState { id: lead, lead_state: chat.state.as_str() });
        }
        if let Some(contact) = contact.filter(|_| is_widget(submission)) {
            let data = widget_data(prepared);
            self.marks.push(Mark { contact, tag: WIDGET_TAG, data, at: submission.received_at });
        }
    }

    /// Writes the rows. The leads and persons that they name were written before.
    pub(super) async fn write(&self, tx: &mut Tx) -> Result<(), Error> {
        let rows: Vec<NewConversation> = self.conversations.values().cloned().collect();
        conversations::open(tx, &rows).await?;
        conversations::mark_contacts(tx, &self.marks).await?;
        conversations::set_lead_states(tx, &self.states.values().cloned().collect::<Vec<_>>()).await
    }
}

fn row(id: ConversationId, submission: &Submission, lead: LeadId, contact: Option<ContactId>) -> NewConversation {
    let chat = submission.chat.as_ref();
    let now = submission.received_at.0;
    NewConversation {
        id,
        workspace_id: submission.intake.workspace_id,
        source_id: submission.intake.source_id,
        lead_id: Some(lead),
        contact_id: contact,
        submission_id: Some(submission.id),
        channel: if chat.is_some() { "chat" } else { "whatsapp" },
        state: chat.map_or("open", |chat| chat.state.as_str()),
        reference: chat.is_none().then(|| Reference::of(submission.id).as_str().to_owned()),
        external_id: chat.map(|chat| chat.chat_id.clone()),
        tags: if chat.is_none() { json!([WIDGET_TAG]) } else { json!([]) },
        fields: json!({}),
        message_count: 0,
        created_at: now,
        updated_at: now,
    }
}

/// Where the person was found, for segments.
fn widget_data(prepared: &Prepared) -> Map<String, Value> {
    let recognised = &prepared.recognised;
    let told = [
        ("lead_source", Some("lead_widget".to_owned())),
        ("widget_id", prepared.submission.intake.source_id.map(|widget| widget.to_string())),
        ("lead_page_url", recognised.page_url.clone()),
        ("lead_referrer", recognised.referrer.clone()),
    ];
    told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))).collect()
}
