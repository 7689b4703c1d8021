//! The installation's keys: that a database knows its own, and that what is sealed can be moved to another one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use leadline_domain::{ids::UserId, messaging::Provider, permissions::Role};
use leadline_engine::{
    Actor, Engine,
    admin::sign_in_provider,
    analysis::settings::{self, Change, EndpointChange},
    delivery::{
        access::{WishedAccess, WishedCertificate, WishedOauth},
        destinations::{Wish, create_destination},
        secrets,
    },
    messaging::channels,
    random_bytes,
    seal::{
        Keys,
        check::{self, KeyRefused},
        resealing,
    },
    sources::{self, Reception, WebhookChange},
};
use leadline_outbound::{Secret, sign_plain};
use leadline_store::{
    sealed::{PLACES, Shape},
    second_factors, testing,
};
use leadline_testkit::{Answer, Db, Receiver, SECRET, TestApp};
use rstest::rstest;
use serde_json::json;

/// A certificate and its key, made for tests.
const CERTIFICATE: &str = include_str!("../../outbound/tests/outbound/fixtures/receiver.crt");
const KEY: &str = include_str!("../../outbound/tests/outbound/fixtures/receiver.key");

/// Something in every place that holds anything sealed. Gives the destination's newest secret, and where it gets its
/// access tokens.
async fn fill(app: &TestApp, receiver: &Receiver) -> (String, Receiver) {
    let tokens = Receiver::start().await;
    tokens.answers_otherwise(Answer::Body(200, json!({"access_token": "access", "expires_in": 3_600}).to_string()));
    let oauth = WishedOauth {
        grant: "refresh_token".to_owned(),
        token_url: tokens.url(),
        client_id: "client".to_owned(),
        client_secret: Some("client-secret".to_owned()),
        refresh_token: Some("refresh".to_owned()),
        ..WishedOauth::default()
    };
    let certificate = WishedCertificate { certificate: CERTIFICATE.to_owned(), key: KEY.to_owned() };
    let (engine, actor) = (&app.engine, app.actor());
    let wish = Wish {
        name: Some("CRM".into()),
        url: Some(receiver.url()),
        events: Some(vec!["lead.created".into(), "lead.resubmitted".into()]),
        headers: Some(BTreeMap::from([("X-Password".to_owned(), "password".to_owned())])),
        access: WishedAccess {
            oauth: Some(Some(oauth)),
            token: Some(Some("platform-token".to_owned())),
            client_certificate: Some(Some(certificate)),
        },
        ..Wish::default()
    };
    let made = create_destination(engine, &actor, &wish).await.expect("a destination").destination;
    let renewed = secrets::regenerate_secret(engine, &actor, made.id, 24).await.expect("a new secret");
    let endpoint = EndpointChange {
        base_url: Some(Some("https://api.example.com/v1".into())),
        key: Some(Some("analysis-key".into())),
        ..EndpointChange::default()
    };
    settings::change(engine, &actor, &Change { endpoint, ..Change::default() }).await.expect("settings");
    let secret = |text: &str| Some(Some(text.to_owned()));
    let reception = Reception {
        secret: secret("hook-secret"),
        verify_token: secret("verify-token"),
        access_token: secret("access-token"),
        ..Reception::default()
    };
    let channel = channels::Wish {
        name: Some("SMS".into()),
        settings: [("url".to_owned(), Some(receiver.url()))].into(),
        credentials: [("callbackToken".to_owned(), Some("callback-token".to_owned()))].into(),
        ..channels::Wish::default()
    };
    channels::create(engine, &actor, Provider::SmsHttp, &channel).await.expect("a channel");
    let provider = sign_in_provider::Wish {
        label: "ID".into(),
        issuer: "https://id.example.com".into(),
        client_id: "leadline".into(),
        client_secret: Some("client-secret".into()),
        domains: vec!["example.com".into()],
        role: None,
        takes_passwords: true,
        is_enabled: true,
    };
    let super_admin = Actor { role: Role::SuperAdmin.into(), ..app.actor() };
    sign_in_provider::save(engine, &super_admin, provider).await.expect("a provider");
    let hook = WebhookChange { name: Some("Hook".into()), reception, ..WebhookChange::default() };
    sources::create_webhook(engine, &actor, hook).await.expect("a source");
    let mut tx = engine.store.begin().await.expect("a transaction");
    let sealed = engine.keys.seal("second-factor");
    let user = UserId::new(app.now(), random_bytes());
    assert!(second_factors::begin(&mut tx, user, &sealed, app.now()).await.expect("written"), "there was none");
    tx.commit().await.expect("committed");
    (renewed.secret, tokens)
}

/// How many sealed texts these keys open, and how many there are.
async fn opened(engine: &Engine, keys: &Keys) -> (usize, usize) {
    let mut texts = Vec::new();
    for place in PLACES {
        for text in testing::texts(&engine.store, place.table, place.column).await.expect("readable") {
            texts.extend(text.split('"').filter(|part| part.starts_with("v1:")).map(str::to_owned));
        }
    }
    (texts.iter().filter(|text| keys.open(text).is_ok()).count(), texts.len())
}

async fn reseal(app: &TestApp, keys: &Keys) -> u64 {
    let done = resealing::reseal(&app.engine.store, keys).await.expect("resealed");
    assert!(done.unsealable.is_empty(), "{:?}", done.unsealable);
    done.rows
}

async fn confirmed(app: &TestApp, keys: &Keys) -> Result<(), KeyRefused> {
    check::confirm(&app.engine.store, keys, app.now()).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_column_for_something_sealed_is_listed_and_every_listed_one_is_there(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;

    let columns = testing::columns(&app.engine.store).await.expect("the columns");

    let listed: BTreeSet<(&str, &str)> = PLACES.iter().map(|place| (place.table, place.column)).collect();
    let there: BTreeSet<(&str, &str)> =
        columns.iter().map(|(table, column)| (table.as_str(), column.as_str())).collect();
    let named: BTreeSet<_> = there.iter().copied().filter(|(_, column)| column.ends_with("_sealed")).collect();
    assert!(named.is_subset(&listed), "not in the list: {:?}", named.difference(&listed));
    assert!(listed.is_subset(&there), "not in the database: {:?}", listed.difference(&there));
    app.stop().await;
}

/// Members of JSON are in no schema; their names are in the code that writes them.
#[test]
fn every_sealed_member_that_the_code_names_is_listed() {
    fn names_in(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).expect("the folder can be read").flatten() {
            if entry.path().is_dir() {
                names_in(&entry.path(), found);
            } else if let Ok(text) = fs::read_to_string(entry.path()) {
                found.extend(text.split('"').filter(|part| is_member(part)).map(str::to_owned));
            }
        }
    }
    fn is_member(part: &str) -> bool {
        part.ends_with("Sealed") && part.chars().all(char::is_alphanumeric)
    }
    let mut named = BTreeSet::new();
    for layer in ["engine", "server", "leadline"] {
        names_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(layer).join("src"), &mut named);
    }

    let listed: BTreeSet<String> = PLACES
        .iter()
        .filter_map(|place| match place.shape {
            Shape::Members(names) => Some(names),
            Shape::Text => None,
        })
        .flatten()
        .map(|name| (*name).to_owned())
        .collect();

    assert_eq!(named, listed);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_knows_its_own_keys_and_no_others(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let own = Keys::derive(&SECRET);

    assert!(confirmed(&app, &own).await.is_ok());
    assert!(confirmed(&app, &own.rotated()).await.is_ok(), "the own key is among them");
    assert!(matches!(confirmed(&app, &Keys::derive(&[8; 32])).await, Err(KeyRefused::Other)));
    let of_another_time = own.rotated().after_rotation();
    assert!(matches!(confirmed(&app, &of_another_time).await, Err(KeyRefused::OfAnotherTime)));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_before_the_check_is_known_by_what_is_sealed_in_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let (_secret, _tokens) = fill(&app, &receiver).await;
    app.execute("DELETE FROM installation").await;

    let refused = confirmed(&app, &Keys::derive(&[8; 32])).await;
    let left_behind = app.count("installation").await;
    let taken = confirmed(&app, &Keys::derive(&SECRET)).await;

    assert!(matches!(refused, Err(KeyRefused::Other)) && taken.is_ok());
    assert_eq!((left_behind, app.count("installation").await), (0, 1));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn after_a_rotation_everything_works_with_the_new_key_alone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let (secret, tokens) = fill(&app, &receiver).await;
    let ada = json!({"name": "Ada", "email": "ada@example.com"});
    let before = app.submit(ada.clone()).await.lead;
    app.run_jobs().await;
    let old = Keys::derive(&SECRET);
    let new = old.rotated();

    let rows = reseal(&app, &new).await;
    app.restart_with(new.after_rotation()).await;
    let after = app.submit(ada).await.lead;
    app.run_jobs().await;

    assert_eq!(rows, PLACES.len() as u64);
    assert_eq!(opened(&app.engine, &new.after_rotation()).await, (14, 14));
    assert_eq!(opened(&app.engine, &old).await, (0, 14));
    assert_eq!(before, after, "the same person");
    let received = receiver.received();
    let secret = Secret::parse(&secret).expect("a secret");
    for request in &received {
        assert_eq!(request.header("x-leadline-signature"), sign_plain(&secret, &request.body));
        assert_eq!((request.header("authorization"), request.header("x-password")), ("Bearer access", "password"));
    }
    assert_eq!((received.len(), tokens.received().len()), (2, 2), "the second process opens what the first one sealed");
    app.stop().await;
}

/// Cut off after any place: what is there opens with both keys, starts, and is finished by the same call.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_was_cut_off_is_finished_and_disturbs_nobody_meanwhile(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let mut app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let (_secret, _tokens) = fill(&app, &receiver).await;
    let both = Keys::derive(&SECRET).rotated();
    let mut olds = Vec::new();
    for place in PLACES {
        olds.extend(testing::texts(&app.engine.store, place.table, place.column).await.expect("readable"));
    }
    let mut done = 0;
    for (place, old) in PLACES.iter().zip(olds) {
        done += reseal(&app, &both).await;
        // As it is when the cut came before this place.
        app.execute(&format!("UPDATE {} SET {} = '{old}'", place.table, place.column)).await;

        assert!(confirmed(&app, &both).await.is_ok());
        let (opened, all) = opened(&app.engine, &both).await;
        assert_eq!(opened, all);
    }

    app.restart_with(both.clone()).await;
    app.submit(json!({"name": "Ada", "email": "ada@example.com"})).await;
    app.run_jobs().await;
    let rest = reseal(&app, &both).await;

    // Each pass moved everything before its cut and left what came after; the last one had a single row to do.
    assert_eq!((receiver.received().len(), rest, reseal(&app, &both).await), (1, 1, 0));
    assert_eq!(done, 2 * PLACES.len() as u64 - 1);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_no_key_opens_is_named_and_holds_nothing_else_up(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let (_secret, _tokens) = fill(&app, &receiver).await;
    let strangers = Keys::derive(&[8; 32]).seal("lost");
    app.execute(&format!("UPDATE destinations SET headers_sealed = '{strangers}'")).await;
    let settings = testing::texts(&app.engine.store, "sources", "settings").await.expect("readable");
    let own = settings.iter().find_map(|text| text.split('"').find(|part| part.starts_with("v1:"))).expect("sealed");
    let settings = settings.iter().find(|text| text.contains(own)).expect("settings").replace(own, &strangers);
    app.execute(&format!("UPDATE sources SET settings = '{settings}'")).await;
    let both = Keys::derive(&SECRET).rotated();

    let done = resealing::reseal(&app.engine.store, &both).await.expect("resealed");

    let named: Vec<_> = done.unsealable.iter().map(|(place, _)| (place.table, place.column)).collect();
    assert_eq!(named, [("destinations", "headers_sealed"), ("sources", "settings")]);
    assert_eq!(opened(&app.engine, &both.after_rotation()).await, (12, 14));
    app.stop().await;
}
