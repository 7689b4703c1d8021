//! What these tests begin with, and who plays the provider.

use leadline_domain::{
    automations::{Act, Message, Step, Trigger},
    ids::{AutomationId, EventId, LeadId, MessageId, MessageTemplateId, SourceId},
    messaging::{Approval, MessageChannel, Status},
};
use leadline_engine::{
    automations::{
        definitions::{self, AutomationEdit},
        runner,
    },
    capture::{Request, Submission},
    dispatch, random_bytes,
    sources::{self, WebhookChange},
};
use leadline_store::{
    automations::{
        self as stored, Automation,
        log::{self, LoggedRun, RunFilter},
    },
    events::{self, NewEvent},
    message_templates::{self, MessageTemplate},
};
use leadline_testkit::TestApp;
use serde_json::{Value, json};

/// A workspace with a source, templates and an automation.
pub struct World {
    pub app: TestApp,
    pub source: SourceId,
    key: String,
    pub welcome: MessageTemplateId,
    pub follow_up: MessageTemplateId,
    pub automation: AutomationId,
}

impl World {
    /// WhatsApp at once with SMS behind it, e-mail two hours later, for whoever arrives by the source.
    pub async fn start(db: leadline_testkit::Db) -> Self {
        let app = TestApp::start(db).await;
        let change = WebhookChange { name: Some("Landing page".into()), ..WebhookChange::default() };
        let source = sources::create_webhook(&app.engine, &app.actor(), change).await.expect("a source");
        let welcome = template(&app, MessageChannel::Whatsapp, "Welcome_Template").await;
        let follow_up = template(&app, MessageChannel::Email, "Follow_Up_Email").await;
        let nobody = AutomationId(uuid::Uuid::nil());
        let mut world = Self { app, source: source.id, key: source.key, welcome, follow_up, automation: nobody };
        world.automation = world.make(world.example()).await;
        world
    }

    /// The example.
    pub fn example(&self) -> AutomationEdit {
        AutomationEdit {
            name: Some("Welcome Sequence".into()),
            trigger: Some(Trigger::Arrived { source_id: Some(self.source) }),
            steps: Some(vec![
                with_fallback(MessageChannel::Whatsapp, self.welcome, MessageChannel::Sms),
                step(MessageChannel::Email, 120, self.follow_up),
            ]),
            ..AutomationEdit::default()
        }
    }

    pub async fn make(&self, edit: AutomationEdit) -> AutomationId {
        definitions::create(&self.app.engine, &self.app.actor(), edit).await.expect("an automation")
    }

    pub async fn change(&self, edit: AutomationEdit) {
        definitions::update(&self.app.engine, &self.app.actor(), self.automation, edit).await.expect("a change");
    }

    /// A lead arrives by the source, and is dispatched.
    pub async fn arrives(&self, fields: Value) -> LeadId {
        let found = self.app.engine.door.intakes().by_key("webhook", &self.key).await;
        let intake = found.expect("the store answers").expect("the source is there");
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        let request = Request { raw_body: "{}".into(), ..Request::default() };
        let submission = Submission::new(&self.app.engine, intake, fields.into_iter().collect(), request, None);
        let lead = self.app.engine.door.accept(submission).await.expect("accepted").lead.expect("a stored lead");
        self.go_on().await;
        lead
    }

    /// Ada, who can be reached in every way.
    pub async fn ada(&self) -> LeadId {
        self.arrives(json!({"name": "Ada", "email": "ada@example.com", "phone": "+491701234567"})).await
    }

    /// Dispatches what happened and starts what is due, until nothing is left. Tells how many sendings were started.
    pub async fn go_on(&self) -> usize {
        let mut all = 0;
        loop {
            dispatch::dispatch_all(&self.app.engine).await.expect("events are dispatched");
            match runner::send_due(&self.app.engine).await.expect("steps are started") {
                0 => return all,
                n => all += n,
            }
        }
    }

    /// Says that something became of a message, and lets it take effect.
    pub async fn report(&self, lead: LeadId, message: MessageId, status: Status, because: Option<(&str, &str)>) {
        self.tell(lead, message, status, because).await;
        self.go_on().await;
    }

    /// Says that something became of a message.
    pub async fn tell(&self, lead: LeadId, message: MessageId, status: Status, because: Option<(&str, &str)>) {
        let data = json!({
            "messageId": message, "leadId": lead, "causeKind": "automation", "status": status.as_str(),
            "errorCode": because.map(|(code, _)| code), "error": because.map(|(_, words)| words),
        });
        self.happens(lead, status.event().expect("an event"), data).await;
    }

    /// Something happened to a lead.
    pub async fn happens(&self, lead: LeadId, kind: &str, data: Value) {
        let now = self.app.now();
        let event = NewEvent {
            id: EventId::new(now, random_bytes()),
            workspace_id: self.app.workspace,
            kind: kind.into(),
            lead_id: Some(lead),
            submission_id: None,
            data,
            created_at: now.0,
            dispatched: false,
        };
        let mut tx = self.app.engine.store.begin().await.expect("a transaction");
        events::append(&mut tx, &[event]).await.expect("an event");
        tx.commit().await.expect("committed");
    }

    /// The messages that were asked for of a lead, the oldest first: how many, by which kinds of channel.
    pub async fn messages(&self, lead: LeadId) -> Vec<(MessageId, MessageChannel)> {
        let mut all: Vec<_> = self
            .runs()
            .await
            .into_iter()
            .filter(|run| run.run.lead_id == lead)
            .flat_map(|run| run.sendings)
            .filter_map(|sending| Some((sending.started_at?, sending.number, sending.message_id?, sending.channel?)))
            .collect();
        all.sort_unstable_by_key(|(at, number, ..)| (*at, *number));
        all.into_iter().map(|(_, _, message, channel)| (message, channel)).collect()
    }

    /// The message that was asked for last.
    pub async fn last_message(&self, lead: LeadId) -> MessageId {
        self.messages(lead).await.last().expect("a message").0
    }

    pub async fn runs(&self) -> Vec<LoggedRun> {
        self.runs_of(self.automation).await
    }

    pub async fn runs_of(&self, automation: AutomationId) -> Vec<LoggedRun> {
        let reader = self.app.engine.store.reader();
        let page = log::list_runs(&reader, self.app.workspace, automation, RunFilter::default(), (200, 0)).await;
        page.expect("runs").rows
    }

    pub async fn stored(&self) -> Automation {
        let found = stored::find(&self.app.engine.store.reader(), self.app.workspace, self.automation).await;
        found.expect("the store answers").expect("the automation is there")
    }

    /// What a lead's timeline says of automations, oldest first.
    pub async fn timeline(&self, lead: LeadId) -> Vec<String> {
        let found = log::timeline(&self.app.engine.store.reader(), self.app.workspace, lead).await.expect("a timeline");
        let said = |line: &log::Line| {
            let text = |name: &str| line.data[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
            let step = line.data["step"].as_i64().map(|step| format!(" {step}")).unwrap_or_default();
            let kind = line.kind.strip_prefix("automation.").expect("a line of an automation");
            format!("{kind}{step}{}{}{}", text("channel"), text("reason"), text("error"))
        };
        found.lines.iter().map(said).collect()
    }
}

pub fn step(channel: MessageChannel, delay_minutes: i64, template_id: MessageTemplateId) -> Step {
    Step::message(delay_minutes, Message::by(channel, template_id))
}

/// A message at once, with another way behind it.
pub fn with_fallback(channel: MessageChannel, template_id: MessageTemplateId, other: MessageChannel) -> Step {
    Step::message(0, Message { fallback_channel: Some(other), ..Message::by(channel, template_id) })
}

/// A step that sends nothing, at once.
pub fn act(act: Act) -> Step {
    Step { delay_minutes: 0, act }
}

/// An approved template.
pub async fn template(app: &TestApp, channel: MessageChannel, name: &str) -> MessageTemplateId {
    let now = app.now();
    let template = MessageTemplate {
        id: MessageTemplateId::new(now, random_bytes()),
        workspace_id: app.workspace,
        channel,
        name: name.into(),
        language: "en".into(),
        subject: (channel == MessageChannel::Email).then(|| "Hello {{firstName}}".into()),
        body: "Hi {{firstName}}".into(),
        body_html: None,
        approval: Approval::Approved,
        approval_reason: None,
        provider_name: None,
        category: None,
        synced_at: None,
        created_at: now,
        updated_at: now,
    };
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    message_templates::insert(&mut tx, &template).await.expect("a template");
    tx.commit().await.expect("committed");
    template.id
}
