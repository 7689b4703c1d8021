//! Files of leads: read, tried, made leads of, and put back.

mod files;
mod undo;

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use leadline_domain::permissions::Role;
use leadline_engine::jobs;
use leadline_store::verify;
use leadline_testkit::{Db, Receiver};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

const IMPORTS: &str = "/v1/identity/imports";

const PEOPLE: &str = "Name;E-Mail;Mobile;Budget;Secret\r\n\
                      Anna Keller;Anna@Keller.example;0151 12345678;5000;x\r\n\
                      \"Bob; \"\"the\"\" Builder\";bob@example.com;;;\r\n\
                      ;;;7;\r\n";

/// Sends a file as a browser does.
async fn send(site: &Site, caller: &Caller<'_>, query: &str, file: impl Into<Body>) -> Answer {
    let mut request = Request::post(format!("{IMPORTS}?{query}"));
    request.headers_mut().expect("headers").extend(caller.headers.clone());
    let request = request.header("content-type", "application/octet-stream").body(file.into());
    site.send(request.expect("a request")).await
}

/// A file that was taken in.
async fn bring(site: &Site, caller: &Caller<'_>, file: impl Into<Body>) -> Value {
    let answer = send(site, caller, "fileName=people.csv", file).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    answer.json()
}

fn path(import: &Value, rest: &str) -> String {
    format!("{IMPORTS}/{}{rest}", import["id"].as_str().expect("an id"))
}

async fn work(site: &Site) {
    while jobs::step(&site.app.engine).await.expect("a step") {}
}

async fn choose(caller: &Caller<'_>, import: &Value, choice: Value) -> Value {
    let answer = caller.patch(&path(import, ""), choice).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

/// Begins an import or its dry run, and answers how it is when that is done.
async fn go(site: &Site, caller: &Caller<'_>, import: &Value, what: &str) -> Value {
    let answer = caller.post(&path(import, what), json!({})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    work(site).await;
    caller.get(&path(import, "")).await.json()
}

/// Brings a file and makes leads of it.
async fn import(site: &Site, caller: &Caller<'_>, file: impl Into<Body>, options: Value) -> Value {
    let import = bring(site, caller, file).await;
    choose(caller, &import, json!({"options": options})).await;
    let done = go(site, caller, &import, "/start").await;
    assert_eq!(done["job"]["state"], "done", "{done}");
    site.app.run_jobs().await;
    done
}

/// New, changed, unchanged, repeated and refused rows.
fn counts(import: &Value) -> [i64; 5] {
    let names = ["created", "updated", "unchanged", "repeated", "refused"];
    names.map(|name| import["tally"][name].as_i64().unwrap_or_else(|| panic!("{name} of {import}")))
}

async fn leads(caller: &Caller<'_>) -> Vec<Value> {
    let mut leads = caller.get("/v1/identity/leads?sortBy=name&sortOrder=asc&limit=200").await.json();
    leads["data"].as_array_mut().expect("leads").drain(..).collect()
}

async fn lead(caller: &Caller<'_>, name: &str) -> Value {
    let found = leads(caller).await.into_iter().find(|lead| lead["name"] == name);
    let id = found.unwrap_or_else(|| panic!("no lead {name}"))["id"].as_str().expect("an id").to_owned();
    caller.get(&format!("/v1/identity/leads/{id}")).await.json()
}

/// What the tables contradict each other in.
async fn wrong(site: &Site) -> Vec<&'static str> {
    let report = verify::run(&site.app.engine.store.reader(), site.app.now()).await.expect("readable");
    report.checks.into_iter().filter(|check| !check.adds_up()).map(|check| check.name).collect()
}

#[rstest]
#[tokio::test]
async fn a_file_becomes_leads_with_all_that_others_have(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;

    let brought = bring(&site, &admin, PEOPLE).await;
    assert_eq!(
        (&brought["encoding"], &brought["delimiter"], &brought["rowCount"]),
        (&json!("UTF-8"), &json!(";"), &json!(3))
    );
    let targets: Vec<&Value> =
        brought["columns"].as_array().expect("columns").iter().map(|one| &one["target"]).collect();
    assert_eq!(targets, ["name", "email", "phone", "custom", "custom"]);
    let mut columns: Vec<Value> = targets.into_iter().map(|target| json!({"target": target})).collect();
    columns[3] = json!({"target": "custom", "name": "Budget"});
    columns[4] = json!({"target": "ignore"});
    choose(&admin, &brought, json!({"columns": columns, "options": {"tags": ["fair"], "onMatch": "update"}})).await;
    admin.patch("/v1/admin/workspace", json!({"settings": {"defaultCountry": "DE"}})).await;
    let done = go(&site, &admin, &brought, "/start").await;
    site.app.run_jobs().await;

    assert_eq!(counts(&done), [2, 0, 0, 0, 1]);
    assert_eq!(
        (&done["job"]["done"], &done["job"]["failed"], &done["job"]["state"]),
        (&json!(3), &json!(1), &json!("done"))
    );
    assert_eq!(
        done["tally"]["refusedRows"],
        json!([{"row": 4, "code": "nobody", "reason": "There is no name, e-mail address or phone number in it"}])
    );
    let anna = lead(&admin, "Anna Keller").await;
    for (field, expected) in [
        ("email", json!("anna@keller.example")),
        ("phone", json!("+4915112345678")),
        ("source", json!("import")),
        ("sourceName", json!("people.csv")),
        ("tags", json!(["fair"])),
        ("customFields", json!({"budget": "5000", "_displayNames": {"budget": "Budget"}})),
        ("submissionCount", json!(1)),
    ] {
        assert_eq!(anna[field], expected, "{field}");
    }
    assert_eq!(anna["activity"][0]["actorName"], "ann@example.com");
    let sent =
        admin.get(&format!("/v1/capture/submissions?leadId={}", anna["id"].as_str().expect("an id"))).await.json();
    let expected =
        json!({"Name": "Anna Keller", "E-Mail": "Anna@Keller.example", "Mobile": "0151 12345678", "Budget": "5000"});
    assert_eq!(sent["data"][0]["fields"], expected, "{sent}");
    let board = admin.get("/v1/identity/board").await.json();
    assert_eq!(board["stages"][0]["count"], 2, "{board}");
    assert_eq!(admin.get("/v1/identity/leads?search=bob").await.json()["total"], 1);
    assert_eq!((wrong(&site).await, site.app.count("import_blocks").await), (vec![], 0));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_dry_run_tells_what_the_import_does_and_changes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    site.app.submit(json!({"name": "Old", "email": "old@example.com", "phone": "+49 151 11111111"})).await;
    site.app.submit(json!({"name": "Same", "email": "same@example.com"})).await;
    // More than one block, with rows of one lead on both sides of the cut.
    let mut file =
        "name,email,phone,note\nOld,OLD@example.com,+49 151 22222222\n,,,\"\nx\"\n,,\nSame,same@example.com\n"
            .to_owned();
    for number in 0..900 {
        file += &format!("P{number},p{}@example.com,\n", number % 850);
    }
    file += "Old too,,+49 151 11111111\nNobody's mail,not an address,12\n";
    let brought = bring(&site, &admin, file.clone()).await;
    let (events, before) = (site.app.count("events WHERE kind LIKE 'lead.%'").await, leads(&admin).await);
    let tried = go(&site, &admin, &brought, "/dry-run").await;
    assert_eq!(tried["checkJob"]["state"], "done", "{tried}");
    assert_eq!((leads(&admin).await, site.app.count("events WHERE kind LIKE 'lead.%'").await), (before, events));
    let done = go(&site, &admin, &brought, "/start").await;

    assert_eq!(counts(&tried), [851, 1, 1, 51, 1], "{}", tried["tally"]);
    assert_eq!(tried["tally"], done["tally"]);
    assert_eq!(
        (&done["tally"]["unusableEmail"], &done["tally"]["unusablePhone"], &done["tally"]["unreachable"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(site.app.count("leads").await, 853);
    site.app.run_jobs().await;
    assert_eq!(wrong(&site).await, Vec::<&str>::new());

    // All are known now but the one that nothing is known by; 51 leads have two names in the file, in turns.
    let again = bring(&site, &admin, file).await;
    assert_eq!(counts(&go(&site, &admin, &again, "/dry-run").await), [1, 51, 801, 51, 1]);
    site.stop().await;
}

#[rstest]
#[case::update("update", [0, 1, 0, 0, 0], "New GmbH", "CEO", json!("9"))]
#[case::fill("fill", [0, 1, 0, 0, 0], "Old GmbH", "CEO", json!("5"))]
#[case::skip("skip", [0, 0, 1, 0, 0], "Old GmbH", "", json!("5"))]
#[tokio::test]
async fn what_is_done_with_a_lead_that_is_there_is_chosen(
    #[case] on_match: &str,
    #[case] expected: [i64; 5],
    #[case] company: &str,
    #[case] title: &str,
    #[case] budget: Value,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    site.app.submit(json!({"name": "Anna", "email": "anna@example.com", "company": "Old GmbH", "Budget": "5"})).await;

    let file = "Name,Email,Company,Job title,Budget,Phone\nAnna,anna@example.com,New GmbH,CEO,9,\n";
    let done = import(&site, &admin, file, json!({"onMatch": on_match})).await;

    assert_eq!(counts(&done), expected);
    let anna = lead(&admin, "Anna").await;
    let text = |name: &str| anna[name].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (text("company"), text("title"), &anna["customFields"]["budget"]),
        (company.to_owned(), title.to_owned(), &budget)
    );
    assert_eq!(anna["source"], "api", "it stays where it came from");
    assert_eq!(wrong(&site).await, Vec::<&str>::new());
    site.stop().await;
}

#[rstest]
#[case::quiet(false, 0)]
#[case::told(true, 2)]
#[tokio::test]
async fn destinations_hear_of_a_file_only_where_somebody_says_so(
    #[case] tells: bool,
    #[case] expected: usize,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let receiver = Receiver::start().await;
    let wish = json!({"name": "CRM", "url": receiver.url(), "events": ["lead.created", "lead.updated"]});
    assert_eq!(admin.post("/v1/delivery/destinations", wish).await.status, 200);

    import(&site, &admin, PEOPLE, json!({"tellsDestinations": tells})).await;

    assert_eq!(site.app.count("deliveries").await, i64::try_from(expected).expect("few"));
    assert_eq!(wrong(&site).await, Vec::<&str>::new());
    let again = bring(&site, &admin, PEOPLE).await;
    assert_eq!(again["options"]["tellsDestinations"], false, "it is said each time");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_import_goes_on_where_it_was_after_a_restart(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut site = Site::start(db).await;
    let token = site.token(Role::Admin).await;
    let rows: String = (0..1_500).map(|number| format!("P{number},p{number}@example.com\n")).collect();
    let brought = bring(&site, &site.with_token(&token), format!("name,email\n{rows}")).await;
    let started = site.with_token(&token).post(&path(&brought, "/start"), json!({})).await;
    assert_eq!(started.status, 202);
    assert!(jobs::step(&site.app.engine).await.expect("a step"));
    let half = site.app.count("leads").await;

    site.restart().await;
    site.app.advance(Duration::from_secs(60));
    work(&site).await;

    assert!((1..1_500).contains(&half), "{half}");
    let done = site.with_token(&token).get(&path(&brought, "")).await.json();
    assert_eq!((counts(&done), site.app.count("leads").await), ([1_500, 0, 0, 0, 0], 1_500));
    site.app.run_jobs().await;
    assert_eq!(wrong(&site).await, Vec::<&str>::new());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_was_chosen_for_columns_is_remembered_in_any_order(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let first = bring(&site, &admin, "Who,Mail,Size\nAnna,anna@example.com,5\n").await;
    let columns = json!([{"target": "name"}, {"target": "email"}, {"target": "custom", "name": "Team size"}]);
    choose(&admin, &first, json!({"columns": columns, "options": {"tags": ["fair"], "onMatch": "fill"}})).await;
    go(&site, &admin, &first, "/start").await;

    let second = bring(&site, &admin, "Size,who,Mail\n6,Bob,bob@example.com\n").await;

    let chosen: Vec<&Value> = second["columns"].as_array().expect("columns").iter().map(|one| &one["target"]).collect();
    assert_eq!(second["isRemembered"], true);
    assert_eq!(
        (chosen[0], &second["columns"][0]["name"], chosen[2]),
        (&json!("custom"), &json!("Team size"), &json!("email"))
    );
    assert_eq!((&second["options"]["tags"], &second["options"]["onMatch"]), (&json!(["fair"]), &json!("fill")));
    site.stop().await;
}

#[rstest]
#[case::no_one(json!({"columns": [{"target": "company"}, {"target": "title"}]}), "/columns")]
#[case::too_few(json!({"columns": [{"target": "email"}]}), "/columns")]
#[case::no_target(json!({"columns": [{"target": "email"}, {"target": "mail"}]}), "/columns/1/target")]
#[case::no_name(json!({"columns": [{"target": "email"}, {"target": "custom"}]}), "/columns/1/name")]
#[case::no_project(json!({"options": {"projectId": "0190b5a0-0000-7000-8000-000000000001"}}), "/projectId")]
#[case::no_stage(json!({"options": {"stageId": "0190b5a0-0000-7000-8000-000000000001"}}), "/stageId")]
#[case::tag(json!({"options": {"tags": ["a\u{0}b"]}}), "/tags")]
#[case::on_match(json!({"options": {"onMatch": "merge"}}), "/options/onMatch")]
#[tokio::test]
async fn what_cannot_be_chosen_is_refused(#[case] choice: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let brought = bring(&site, &admin, "Name,Email\nAnna,anna@example.com\n").await;

    let answer = admin.patch(&path(&brought, ""), choice).await;

    assert_eq!(answer.problem(), (422, "invalid_fields".to_owned()));
    assert_eq!(answer.pointers(), [pointer]);
    site.stop().await;
}

#[rstest]
#[case::nul("delimiter=%00")]
#[case::quote("delimiter=%22")]
#[case::two("delimiter=%3B%3B")]
#[tokio::test]
async fn what_parts_no_cells_is_refused(#[case] query: &str, #[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;

    let refused = send(&site, &admin, query, PEOPLE).await;

    assert_eq!((refused.problem().0, refused.pointers()), (422, vec!["/delimiter".to_owned()]));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_import_that_began_is_not_changed_or_begun_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let done = import(&site, &admin, PEOPLE, json!({})).await;

    let begun = (409, "import_begun".to_owned());
    assert_eq!(admin.post(&path(&done, "/start"), json!({})).await.problem(), begun);
    assert_eq!(admin.post(&path(&done, "/dry-run"), json!({})).await.problem(), begun);
    assert_eq!(admin.patch(&path(&done, ""), json!({})).await.problem(), begun);
    assert_eq!(admin.delete(&path(&done, "")).await.problem(), begun);
    let dropped = bring(&site, &admin, PEOPLE).await;
    assert_eq!(admin.delete(&path(&dropped, "")).await.status, StatusCode::NO_CONTENT);
    assert_eq!((admin.get(&path(&dropped, "")).await.status.as_u16(), site.app.count("import_blocks").await), (404, 0));
    site.stop().await;
}

#[tokio::test]
async fn rows_are_hidden_from_whoever_may_not_see_personal_data() {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let brought = bring(&site, &admin, PEOPLE).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;

    let (one, list) = (viewer.get(&path(&brought, "")).await, viewer.get(IMPORTS).await);
    go(&site, &admin, &brought, "/start").await;

    assert!(admin.get(IMPORTS).await.text().contains("people.csv"));
    for answer in [&one, &list] {
        assert!(answer.status.is_success() && !answer.text().contains("eller"), "{}", answer.text());
    }
    assert_eq!(viewer.get(&path(&brought, "/errors.csv")).await.problem(), (403, "forbidden".to_owned()));
    site.stop().await;
}

/// PostgreSQL looks at a table by itself a minute after it grew. Until then it would read all of it for each step that
/// puts rows back.
#[tokio::test]
async fn what_an_import_made_of_the_tables_is_known_to_the_planner_when_it_ends() {
    let site = Site::start(Db::Postgres).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let rows: String = (0..1_200).map(|number| format!("P{number},p{number}@example.com\n")).collect();

    import(&site, &admin, format!("name,email\n{rows}"), json!({})).await;

    for table in ["leads", "lead_submissions", "identities", "job_results"] {
        let known = site.app.count(&format!("pg_class WHERE relname = '{table}' AND reltuples >= 1200")).await;
        assert_eq!(known, 1, "{table}");
    }
    site.stop().await;
}
