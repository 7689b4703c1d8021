//! What leads are worth over HTTP: exact amounts, refusals, the sums of columns, and the words of other products.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_engine::random_bytes;
use leadline_store::{capture, verify};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

fn ok(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn path(lead: &Value, rest: &str) -> String {
    format!("/v1/identity/leads/{}{rest}", lead["id"].as_str().expect("an id"))
}

async fn lead(caller: &Caller<'_>, body: Value) -> Value {
    ok(&caller.post("/v1/identity/leads", body).await)
}

async fn board(caller: &Caller<'_>, query: &str) -> Value {
    ok(&caller.get(&format!("/v1/identity/board{query}")).await)
}

fn sums(board: &Value) -> Vec<(i64, Value)> {
    let columns = board["stages"].as_array().expect("columns");
    columns.iter().map(|column| (column["count"].as_i64().expect("a count"), column["value"].clone())).collect()
}

async fn expect_sums_add_up(site: &Site) {
    let report = verify::run(&site.app.engine.store.reader(), site.app.now()).await.expect("the database can be read");
    for check in report.checks.iter().filter(|check| check.name.starts_with("stages whose")) {
        assert!(check.adds_up(), "{check:?}");
    }
}

#[rstest]
#[tokio::test]
async fn amounts_come_back_to_the_last_coin(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let anna = lead(&agent, json!({"name": "Anna"})).await;
    assert_eq!(
        (&anna["quotable"], &anna["quoteValue"], &anna["currency"]),
        (&json!("not_set"), &json!(null), &json!("USD"))
    );

    let body = json!({"quotable": "pending", "quoteValue": "999999999999.999", "salesValue": 0.07});
    let changed = ok(&agent.patch(&path(&anna, ""), body).await);
    let version = changed["version"].as_i64();
    let same = ok(&agent.patch(&path(&anna, ""), json!({"salesValue": "0.070"})).await);
    let cleared = ok(&agent.patch(&path(&anna, ""), json!({"quotable": null, "quoteValue": null})).await);

    assert_eq!(changed["quotable"], "pending");
    assert_eq!((&changed["quoteValue"], &changed["salesValue"]), (&json!("999999999999.999"), &json!("0.07")));
    assert!(version > anna["version"].as_i64());
    assert_eq!(same["version"].as_i64(), version, "nothing differs");
    assert_eq!(
        (&cleared["quotable"], &cleared["quoteValue"], &cleared["salesValue"]),
        (&json!("not_set"), &json!(null), &json!("0.07"))
    );
    let timeline = agent.get(&path(&anna, "")).await.json()["activity"].to_string();
    assert!(timeline.contains(r#"{"field":"quoteValue","from":null,"to":"999999999999.999"}"#), "{timeline}");
    assert_eq!(site.app.count("events WHERE kind = 'lead.updated'").await, 2);
    site.stop().await;
}

#[rstest]
#[case::words(json!("a lot"))]
#[case::not_a_number(json!("NaN"))]
#[case::infinite(json!("Infinity"))]
#[case::negative(json!(-1))]
#[case::negative_text(json!("-0.01"))]
#[case::too_fine(json!("1.0001"))]
#[case::binary(json!(0.1 + 0.2))]
#[case::exponent(json!("1e9"))]
#[case::too_large(json!("1000000000000"))]
#[case::overflow(json!(u64::MAX))]
#[case::float_overflow(json!(1e300))]
#[case::long(json!("9".repeat(10_000)))]
#[case::nul(json!("1\u{0}"))]
#[case::comma(json!("1,50"))]
#[case::list(json!([1]))]
#[case::truth(json!(true))]
#[case::object(json!({"amount": 1}))]
#[tokio::test]
async fn what_is_no_amount_is_refused_with_a_pointer(#[case] value: Value) {
    let site = Site::start(Db::Sqlite).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let anna = lead(&agent, json!({"name": "Anna"})).await;

    for field in ["quoteValue", "salesValue"] {
        let changed = agent.patch(&path(&anna, ""), json!({field: value})).await;
        let made = agent.post("/v1/identity/leads", json!({"name": "Ben", field: value})).await;

        for refused in [&changed, &made] {
            assert_eq!(refused.problem(), (422, "invalid_fields".to_owned()));
            assert_eq!(refused.pointers(), [format!("/{field}")]);
        }
    }
    let refused = agent.patch(&path(&anna, ""), json!({"quotable": "maybe"})).await;
    assert_eq!((refused.problem().0, refused.pointers()), (422, vec!["/quotable".to_owned()]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_board_adds_up_each_column_whatever_happens_to_its_leads(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    ok(&admin.patch("/v1/admin/workspace", json!({"settings": {"currency": "eur"}})).await);
    let anna = lead(&admin, json!({"name": "Anna", "quoteValue": "100.10", "tags": ["vip"]})).await;
    let ben = lead(&admin, json!({"name": "Ben", "quoteValue": "200.20"})).await;
    let carl = lead(&admin, json!({"name": "Carl"})).await;
    let before = board(&admin, "").await;
    let stage = |index: usize| before["stages"][index]["stage"]["id"].clone();
    let nothing = (0, json!("0.00"));

    assert_eq!(before["currency"], "EUR");
    assert_eq!(sums(&before)[0], (3, json!("300.30")));
    assert_eq!(before["stages"][0]["weightedValue"], "30.03");

    ok(&admin.patch(&path(&ben, "/stage"), json!({"stageId": stage(2)})).await);
    ok(&admin.patch(&path(&ben, ""), json!({"salesValue": "50"})).await);
    let bulk = json!({"action": "move_stage", "leadIds": [carl["id"], anna["id"]], "stageId": stage(1)});
    ok(&admin.post("/v1/identity/leads/bulk-action", bulk).await);
    let moved = board(&admin, "").await;
    assert_eq!(sums(&moved)[..3], [nothing.clone(), (2, json!("100.10")), (1, json!("50.00"))]);
    assert_eq!(moved["stages"][2]["weightedValue"], "20.00");

    let found = board(&admin, "?search=anna").await;
    let tagged = board(&admin, "?tag=vip").await;
    let page =
        ok(&admin.get(&format!("/v1/identity/board/stages/{}?tag=vip", stage(1).as_str().expect("an id"))).await);
    assert_eq!(sums(&found)[..3], [nothing.clone(), (1, json!("100.10")), nothing.clone()]);
    assert_eq!(sums(&tagged), sums(&found));
    assert_eq!((&page["value"], &page["weightedValue"]), (&json!("100.10"), &json!("20.02")));

    ok(&admin.delete(&path(&anna, "")).await);
    assert_eq!(sums(&board(&admin, "").await)[1], (1, json!("0.00")));
    ok(&admin.post(&path(&anna, "/restore"), json!({})).await);
    assert_eq!(sums(&board(&admin, "").await)[1], (2, json!("100.10")));
    expect_sums_add_up(&site).await;
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn sums_are_right_beyond_what_a_number_of_the_database_holds(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    lead(&admin, json!({"name": "Anna", "quoteValue": "0.25"})).await;
    let columns = "(id, workspace_id, pipeline_id, stage_id, n, value_milli)";
    for _ in 0..70 {
        let row = format!(
            "INSERT INTO lead_stage_counts {columns}
             SELECT '{}', workspace_id, pipeline_id, stage_id, 0, 9000000000000000000 FROM leads",
            leadline_domain::ids::StageCountId::new(site.app.now(), random_bytes())
        );
        let row = if db == Db::Postgres { row.replacen("SELECT '", "SELECT uuid '", 1) } else { row };
        site.app.execute(&row).await;
    }

    let before = sums(&board(&admin, "").await)[0].clone();
    let mut tx = site.app.engine.store.begin().await.expect("a transaction");
    let now = site.app.now();
    let new_id = || leadline_domain::ids::StageCountId::new(now, random_bytes());
    capture::fold_stage_counts(&mut tx, new_id).await.expect("folded");
    tx.commit().await.expect("committed");
    let after = sums(&board(&admin, "").await)[0].clone();

    assert_eq!(before, (1, json!("630000000000000000.25")));
    assert_eq!(after, before);
    assert!(site.app.count("lead_stage_counts").await < 71);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn another_products_word_is_the_leads_worth(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let wish = json!({"name": "Hook", "fieldMapping": {"deal.size": "quote_value"}});
    let hook = ok(&admin.post("/v1/identity/lead-webhooks", wish).await);
    let send = async |body: Value| {
        let address = format!("/webhooks/leads/{}", hook["apiKey"].as_str().expect("a key"));
        let receipt = ok(&site.stranger().post(&address, body).await);
        let lead = receipt["leadId"].as_str().expect("a lead").to_owned();
        ok(&admin.get(&format!("/v1/identity/leads/{lead}")).await)
    };
    let whatconverts = |trigger: &str, values: Value| {
        let mut body = json!({"trigger": trigger, "lead_id": 4711, "lead_type": "Chat", "contact_name": "Jane",
                              "contact_email_address": "jane@example.com"});
        body.as_object_mut().expect("an object").extend(values.as_object().expect("an object").clone());
        body
    };

    let mapped = send(json!({"name": "Ben", "email": "ben@example.com", "deal": {"size": "1200"}})).await;
    let new = send(whatconverts("new", json!({"quotable": "Yes", "quote_value": 900.5}))).await;
    let more = json!({"quotable": "Not Set", "quote_value": null, "sales_value": 880});
    let updated = send(whatconverts("update", more)).await;
    let unreadable = send(whatconverts("update", json!({"quote_value": "about 5000"}))).await;

    assert_eq!(mapped["quoteValue"], "1200.00");
    assert_eq!((&new["quotable"], &new["quoteValue"]), (&json!("yes"), &json!("900.50")));
    assert!(new["customFields"].get("quoteValue").is_none(), "{}", new["customFields"]);
    let worth = [&updated["quotable"], &updated["quoteValue"], &updated["salesValue"]];
    assert_eq!(worth, [&json!("yes"), &json!("900.50"), &json!("880.00")]);
    assert_eq!(
        (&unreadable["quoteValue"], &unreadable["customFields"]["quoteValue"]),
        (&json!("900.50"), &json!("about 5000"))
    );
    assert_eq!(sums(&board(&admin, "").await)[0], (2, json!("2080.00")));
    expect_sums_add_up(&site).await;
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_visitor_does_not_say_what_a_lead_is_worth(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let form = ok(&admin.post("/v1/capture/forms", json!({"name": "Form"})).await);
    let fields = json!({"name": "Eve", "email": "eve@example.com", "sales_value": "1000000", "quotable": "Yes"});

    let receipt = ok(&site.stranger().post(&format!("/f/{}", form["key"].as_str().expect("a key")), fields).await);
    let eve = ok(&admin.get(&format!("/v1/identity/leads/{}", receipt["leadId"].as_str().expect("a lead"))).await);

    assert_eq!((&eve["salesValue"], &eve["quotable"]), (&json!(null), &json!("not_set")));
    assert_eq!(eve["customFields"]["salesValue"], "1000000");
    assert_eq!(sums(&board(&admin, "").await)[0], (1, json!("0.00")));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_comes_back_after_being_deleted_is_worth_what_they_were(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let body = json!({"name": "Anna", "email": "anna@example.com", "quoteValue": "12"});
    let anna = lead(&admin, body).await;
    ok(&admin.delete(&path(&anna, "")).await);

    let again = lead(&admin, json!({"name": "Anna", "email": "anna@example.com"})).await;
    let dearer = lead(&admin, json!({"name": "Anna", "email": "anna@example.com", "quoteValue": "13"})).await;

    assert_eq!((&again["id"], &again["quoteValue"]), (&anna["id"], &json!("12.00")));
    assert_eq!(dearer["quoteValue"], "13.00");
    assert_eq!(sums(&board(&admin, "").await)[0], (1, json!("13.00")));
    expect_sums_add_up(&site).await;
    site.stop().await;
}

#[rstest]
#[case("euro")]
#[case("")]
#[case("E1R")]
#[case("€")]
#[tokio::test]
async fn a_currency_is_three_letters(#[case] code: &str) {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;

    let refused = admin.patch("/v1/admin/workspace", json!({"settings": {"currency": code}})).await;

    assert_eq!((refused.problem().0, refused.pointers()), (422, vec!["/settings/currency".to_owned()]));
    site.stop().await;
}
