//! Analyses of messages, from the submission to what stands on the lead, on both databases.

mod endpoint;
mod offline;

use leadline_domain::ids::LeadId;
use leadline_engine::analysis::{self, Change, EndpointChange};
use leadline_store::{analyses::Settings, leads};
use leadline_testkit::TestApp;
use serde_json::{Value, json};

/// What stands on the lead.
async fn on_lead(app: &TestApp, lead: LeadId) -> Value {
    let found = leads::find(&app.engine.store.reader(), app.workspace, lead).await.expect("the store answers");
    found.expect("the lead is there").lead_analysis.unwrap_or(Value::Null)
}

/// A message of somebody called Ada Lovelace.
async fn message(app: &TestApp, email: &str, message: &str) -> LeadId {
    let fields = json!({"name": "Ada Lovelace", "email": email, "phone": "+49 30 901820", "message": message});
    app.submit(fields).await.lead.expect("a stored lead")
}

async fn change(app: &TestApp, change: Change) -> Settings {
    analysis::change(&app.engine, &app.actor(), &change).await.expect("settings")
}

/// An endpoint that is on.
async fn use_endpoint(app: &TestApp, url: &str) -> Settings {
    let endpoint = EndpointChange {
        is_enabled: Some(true),
        base_url: Some(Some(url.to_owned())),
        model: Some(Some("small-model".to_owned())),
        key: Some(Some("sk-test-0123456789".to_owned())),
        timeout_seconds: Some(1),
        ..EndpointChange::default()
    };
    change(app, Change { endpoint, ..Change::default() }).await
}
