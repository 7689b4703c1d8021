//! Deliveries from the event to the receiver and back, on both databases.

mod attempts;
mod breaker;
mod conversions;
mod desk;
mod health;
mod oauth;
mod payloads;
mod plans;
mod replays;
mod rotation;
mod runner;
mod settings;

use leadline_domain::time::Timestamp;
use leadline_engine::delivery::{
    self,
    destinations::{Wish, WithSecret},
};
use leadline_outbound::{Secret, sign_plain, verify_standard};
use leadline_store::{
    deliveries::{self, Delivery, Filter},
    destinations::{self, Destination},
};
use leadline_testkit::{Received, TestApp};
use serde_json::json;

fn wish(url: &str) -> Wish {
    Wish {
        name: Some("CRM".into()),
        url: Some(url.into()),
        events: Some(vec!["lead.created".into()]),
        ..Wish::default()
    }
}

async fn destination(app: &TestApp, url: &str) -> WithSecret {
    destination_with(app, wish(url)).await
}

async fn destination_with(app: &TestApp, wish: Wish) -> WithSecret {
    delivery::destinations::create_destination(&app.engine, &app.actor(), &wish).await.expect("a destination")
}

async fn change(app: &TestApp, destination: &Destination, wish: Wish) -> Destination {
    delivery::destinations::update_destination(&app.engine, &app.actor(), destination.id, &wish)
        .await
        .expect("a changed destination")
}

async fn all(app: &TestApp) -> Vec<Delivery> {
    let page = deliveries::list(&app.engine.store.reader(), app.workspace, &Filter::default(), 200, 0).await;
    page.expect("the deliveries").rows
}

async fn only(app: &TestApp) -> Delivery {
    let mut all = all(app).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

async fn reload(app: &TestApp, destination: &Destination) -> Destination {
    let found = destinations::find(&app.engine.store.reader(), app.workspace, destination.id).await;
    found.expect("the store answers").expect("the destination is there")
}

async fn lead_named(app: &TestApp, name: &str) {
    app.submit(json!({"name": name, "email": format!("{name}@example.com")})).await;
}

fn assert_signed(request: &Received, secret: &str, now: Timestamp) {
    let secret = Secret::parse(secret).expect("a secret as shown");
    assert_eq!(request.header("x-leadline-signature"), sign_plain(&secret, &request.body));
    let (id, time) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    assert_eq!(id, request.header("x-leadline-delivery-id"));
    let verified =
        verify_standard(&[secret], id, time, request.header("webhook-signature"), &request.body, now.0 / 1_000);
    assert_eq!(verified, Ok(()));
}
