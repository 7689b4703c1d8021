//! Leads, board, pipelines and contacts over HTTP: shapes, refusals, and what a viewer may not see.

use axum::http::StatusCode;
use leadline_domain::permissions::Role;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site};

const ANNA: &str = "anna@keller.example";

async fn make(caller: &Caller<'_>, body: Value) -> Value {
    let answer = caller.post("/v1/identity/leads", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

fn anna() -> Value {
    json!({
        "name": "Anna Keller", "email": "Anna@Keller.example", "phone": "+49 151 12345678", "company": "Acme GmbH",
        "message": "call me at anna@keller.example", "tags": ["vip"],
        "customFields": {"partner": "Bob Keller", "_displayNames": {"partner": "Partner"}}
    })
}

async fn stage_ids(caller: &Caller<'_>) -> Vec<String> {
    let board = caller.get("/v1/identity/board").await.json();
    let stages = board["pipeline"]["stages"].as_array().expect("stages").clone();
    stages.iter().map(|stage| stage["id"].as_str().expect("an id").to_owned()).collect()
}

fn path(lead: &Value, rest: &str) -> String {
    format!("/v1/identity/leads/{}{rest}", lead["id"].as_str().expect("an id"))
}

#[rstest]
#[tokio::test]
async fn a_lead_made_by_hand_is_answered_as_a_whole(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;

    let lead = make(&agent, anna()).await;

    let stage = &stage_ids(&agent).await[0];
    for (field, expected) in [
        ("name", json!("Anna Keller")),
        ("email", json!(ANNA)),
        ("phone", json!("+4915112345678")),
        ("phoneRaw", json!("+49 151 12345678")),
        ("phoneDisplay", json!("+49 1512 345678")),
        ("countryCode", json!("DE")),
        ("company", json!("Acme GmbH")),
        ("source", json!("manual")),
        ("projectName", json!("Main")),
        ("stageId", json!(stage)),
        ("tags", json!(["vip"])),
        ("customFields", json!({"partner": "Bob Keller", "_displayNames": {"partner": "Partner"}})),
        ("submissionCount", json!(1)),
        ("convertedAt", json!(null)),
        ("deletedAt", json!(null)),
        ("version", json!(1)),
        ("masked", json!(false)),
    ] {
        if field != "phoneDisplay" {
            assert_eq!(lead[field], expected, "{field}");
        }
    }
    assert!(lead["phoneDisplay"].as_str().is_some_and(|phone| phone.starts_with("+49 ")), "{lead}");
    assert!(lead["score"].as_i64() > Some(0) && lead["scoreReasons"][0]["code"].is_string(), "{lead}");
    assert_eq!(agent.get(&path(&lead, "")).await.json()["activity"][0]["actorKind"], "user");
    site.stop().await;
}

#[rstest]
#[case::nothing(json!({}), "nothing_to_identify_by", &[])]
#[case::unknown_field(json!({"name": "A", "nmae": "B"}), "unknown_field", &["/nmae"])]
#[case::bad_email(json!({"name": "A", "email": "nope", "phone": "12"}), "invalid_fields", &["/email", "/phone"])]
#[case::long_name(json!({"name": "x".repeat(201)}), "invalid_fields", &["/name"])]
#[case::no_such_stage(json!({"name": "A", "stageId": "0190b5a0-0000-7000-8000-000000000001"}), "invalid_fields", &["/stageId"])]
#[case::no_such_project(json!({"name": "A", "projectId": "0190b5a0-0000-7000-8000-000000000001"}), "invalid_fields", &["/projectId"])]
#[tokio::test]
async fn what_cannot_be_a_lead_is_refused_with_pointers(
    #[case] body: Value,
    #[case] code: &str,
    #[case] pointers: &[&str],
) {
    let site = Site::start(Db::Sqlite).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;

    let answer = agent.post("/v1/identity/leads", body).await;

    assert_eq!(answer.problem(), (422, code.to_owned()));
    assert_eq!(answer.pointers(), pointers);
    assert_eq!(site.app.count("leads").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_programs_lead_is_taken_with_a_phone_that_is_none(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let token = site.token(Role::Agent).await;
    let mut program = site.with_token(&token);
    program.headers.insert("idempotency-key", "1".parse().expect("a header"));
    let body = json!({"name": "Anna\u{0}", "phone": "ext. 12", "company": "A\u{0}B"});

    let lead = make(&program, body.clone()).await;
    let again = make(&program, body).await;

    assert_eq!((&lead["source"], &lead["phone"], &lead["phoneRaw"]), (&json!("api"), &json!(null), &json!("ext. 12")));
    assert_eq!(again["id"], lead["id"]);
    assert_eq!(site.app.count("lead_submissions").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn each_change_answers_with_the_lead_as_it_is_then(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let colleague = site.member("colleague@example.com", Role::Agent).await;
    let lead = make(&admin, anna()).await;
    let stages = stage_ids(&admin).await;

    let renamed = admin.patch(&path(&lead, ""), json!({"name": "Anna K.", "company": null})).await.json();
    let moved = admin.patch(&path(&lead, "/stage"), json!({"stageId": stages[1]})).await.json();
    let assigned = admin.patch(&path(&lead, "/assign"), json!({"assignedTo": colleague})).await.json();
    let noted = admin.post(&path(&lead, "/notes"), json!({"value": "hello"})).await.json();
    let converted = admin.post(&path(&lead, "/convert"), json!({"name": "Anna Keller"})).await.json();
    let deleted = admin.delete(&path(&lead, "")).await.json();
    let shown = admin.get(&path(&lead, "")).await.json();
    let listed = admin.get("/v1/identity/leads").await.json();
    let restored = admin.post(&path(&lead, "/restore"), json!({})).await.json();

    assert_eq!((&renamed["name"], &renamed["company"]), (&json!("Anna K."), &json!(null)));
    assert_eq!(moved["stageId"], json!(stages[1]));
    assert_eq!(assigned["assignedToName"], "colleague@example.com");
    assert_eq!(noted["activityTotal"], 5);
    assert!(converted["convertedAt"].is_string());
    assert!(deleted["deletedAt"].is_string() && shown["deletedAt"].is_string());
    assert_eq!(listed["total"], 0);
    assert_eq!(restored["deletedAt"], json!(null));
    site.stop().await;
}

#[rstest]
#[case::unknown_field("", json!({"nmae": "x"}), "/nmae")]
#[case::wrong_email("", json!({"email": "nope"}), "/email")]
#[case::wrong_tags("", json!({"tags": ["x".repeat(61)]}), "/tags/0")]
#[case::no_stage("/stage", json!({}), "/stageId")]
#[case::strange_stage("/stage", json!({"stageId": "0190b5a0-0000-7000-8000-000000000001"}), "/stageId")]
#[case::nobody_named("/assign", json!({}), "/assignedTo")]
#[case::stranger("/assign", json!({"assignedTo": "0190b5a0-0000-7000-8000-000000000001"}), "/assignedTo")]
#[tokio::test]
async fn a_change_that_cannot_be_is_pointed_at(#[case] rest: &str, #[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let lead = make(&agent, anna()).await;

    let answer = agent.patch(&path(&lead, rest), body).await;

    assert_eq!((answer.status.as_u16(), answer.pointers()), (422, vec![pointer.to_owned()]), "{}", answer.text());
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn changing_a_deleted_lead_is_a_conflict(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let lead = make(&admin, anna()).await;
    admin.delete(&path(&lead, "")).await;

    let answer = admin.patch(&path(&lead, ""), json!({"name": "B"})).await;

    assert_eq!(answer.problem(), (409, "conflict".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_board_pages_on_from_its_cursor(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    for number in 0..5 {
        make(&agent, json!({"email": format!("lead{number}@example.com")})).await;
    }
    let stage = &stage_ids(&agent).await[0];

    let board = agent.get("/v1/identity/board?limit=2").await.json();
    let mut column = board["stages"][0].clone();
    let mut names = Vec::new();
    loop {
        names.extend(column["cards"].as_array().expect("cards").iter().map(|card| card["id"].clone()));
        let Some(next) = column["next"].as_str() else { break };
        let page = agent.get(&format!("/v1/identity/board/stages/{stage}?limit=2&after={next}")).await;
        column = page.json();
    }

    assert_eq!((&board["stages"][0]["count"], &board["stages"][0]["countIsCapped"]), (&json!(5), &json!(false)));
    assert_eq!(board["stages"].as_array().map(Vec::len), Some(6));
    names.dedup();
    assert_eq!(names.len(), 5);
    site.stop().await;
}

#[rstest]
#[case::cursor("/v1/identity/board/stages/{stage}?after=nonsense", 422)]
#[case::cursor_with_sql("/v1/identity/board/stages/{stage}?after=JyBvciAx", 422)]
#[case::limit("/v1/identity/leads?limit=201", 422)]
#[case::no_rows("/v1/identity/leads?limit=0", 422)]
#[case::page("/v1/identity/leads?page=0", 422)]
#[case::board_limit("/v1/identity/board?limit=201", 422)]
#[case::owner("/v1/identity/leads?assignedTo=anna", 422)]
#[case::order("/v1/identity/leads?sortBy=password", 422)]
#[case::direction("/v1/identity/leads?sortOrder=up", 400)]
#[case::unknown("/v1/identity/leads?colour=red", 400)]
#[case::pipeline("/v1/identity/board?pipelineId=0190b5a0-0000-7000-8000-000000000001", 404)]
#[case::stage("/v1/identity/board/stages/0190b5a0-0000-7000-8000-000000000001", 404)]
#[tokio::test]
async fn a_question_that_cannot_be_answered_is_refused(#[case] path: &str, #[case] status: u16) {
    let site = Site::start(Db::Sqlite).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let stage = &stage_ids(&agent).await[0];

    let answer = agent.get(&path.replace("{stage}", stage)).await;

    assert_eq!(answer.problem().0, status, "{}", answer.text());
    site.stop().await;
}

/// Everything that a viewer can ask about a lead, and nothing in it that tells who it is.
#[rstest]
#[tokio::test]
async fn a_viewer_sees_no_name_no_email_and_no_phone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let lead = make(&admin, anna()).await;
    admin.patch(&path(&lead, ""), json!({"email": "new@keller.example", "name": "Anna Keller-Möller"})).await;
    admin.post(&path(&lead, "/notes"), json!({"value": "Keller called"})).await;
    admin.post(&path(&lead, "/convert"), json!({"name": "Anna Keller"})).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;
    let contact = lead["contactId"].as_str().expect("an id");

    for address in [
        "/v1/identity/leads".to_owned(),
        path(&lead, ""),
        path(&lead, "/activities"),
        "/v1/identity/board".to_owned(),
        format!("/v1/identity/board/stages/{}", lead["stageId"].as_str().expect("an id")),
        "/v1/identity/contacts".to_owned(),
        format!("/v1/identity/contacts/{contact}"),
    ] {
        let answer = viewer.get(&address).await;

        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let text = answer.text().to_lowercase();
        for secret in ["keller", "bob", "123456", "anna"] {
            assert!(!text.contains(secret), "{address} tells {secret}: {text}");
        }
    }
    let seen = viewer.get(&path(&lead, "")).await.json();
    assert_eq!((&seen["masked"], &seen["company"]), (&json!(true), &json!("Acme GmbH")));
    site.stop().await;
}

#[rstest]
#[case::company("/v1/identity/leads?search=acme", 1)]
#[case::name("/v1/identity/leads?search=keller", 0)]
#[case::email("/v1/identity/leads?search=anna%40keller.example", 0)]
#[case::phone("/v1/identity/leads?search=4915112345678", 0)]
#[tokio::test]
async fn a_viewer_finds_leads_by_their_company_alone(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] address: &str,
    #[case] found: i64,
) {
    let site = Site::start(db).await;
    make(&site.signed_in("agent@example.com", Role::Agent).await, anna()).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;

    assert_eq!(viewer.get(address).await.json()["total"], found);
    site.stop().await;
}

#[rstest]
#[case("/v1/identity/leads?sortBy=name")]
#[case("/v1/identity/contacts?search=anna")]
#[tokio::test]
async fn a_viewer_cannot_ask_what_would_tell_names(#[case] address: &str) {
    let site = Site::start(Db::Sqlite).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;

    assert_eq!(viewer.get(address).await.problem(), (403, "forbidden".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_bulk_action_tells_what_became_of_each(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let lead = make(&admin, anna()).await;
    let nobody = "0190b5a0-0000-7000-8000-000000000001";
    let body = json!({"action": "tag", "leadIds": [lead["id"], nobody], "tags": ["hot"]});

    let answer = admin.post("/v1/identity/leads/bulk-action", body).await.json();

    let results = json!([{"leadId": lead["id"], "ok": true}, {"leadId": nobody, "ok": false, "code": "not_found"}]);
    let job = &answer["jobId"];
    assert_eq!(answer, json!({"results": results, "succeeded": 1, "failed": 1, "jobId": job}));
    site.stop().await;
}

#[rstest]
#[case::nobody(json!({"action": "delete", "leadIds": []}), 422)]
#[case::too_many(json!({"action": "delete", "leadIds": vec!["0190b5a0-0000-7000-8000-000000000001"; 201]}), 422)]
#[case::unknown_action(json!({"action": "burn", "leadIds": ["0190b5a0-0000-7000-8000-000000000001"]}), 422)]
#[case::no_stage(json!({"action": "move_stage", "leadIds": ["0190b5a0-0000-7000-8000-000000000001"]}), 422)]
#[tokio::test]
async fn a_bulk_action_must_say_what_it_does(#[case] body: Value, #[case] status: u16) {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;

    assert_eq!(admin.post("/v1/identity/leads/bulk-action", body).await.problem().0, status);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_agent_may_move_many_leads_and_delete_none(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let lead = make(&agent, anna()).await;
    let stage = &stage_ids(&agent).await[2];

    let body = json!({"action": "move_stage", "leadIds": [lead["id"]], "stageId": stage});
    let moved = agent.post("/v1/identity/leads/bulk-action", body).await;
    let body = json!({"action": "delete", "leadIds": [lead["id"]]});
    let deleted = agent.post("/v1/identity/leads/bulk-action", body).await;

    assert_eq!(moved.json()["succeeded"], 1);
    assert_eq!(deleted.problem(), (403, "forbidden".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn pipelines_are_made_edited_and_deleted(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    let lead = make(&admin, anna()).await;
    let stages =
        json!([{"name": "In", "color": "blue", "kind": "open"}, {"name": "Out", "color": "red", "kind": "lost"}]);

    let made = admin.post("/v1/identity/lead-pipelines", json!({"name": "Rent", "stages": stages})).await.json();
    let address = format!("/v1/identity/lead-pipelines/{}", made["id"].as_str().expect("an id"));
    let mut edited = made["stages"].as_array().expect("stages").clone();
    edited[1]["name"] = json!("Gone");
    edited.insert(1, json!({"name": "Talk", "color": "teal", "kind": "open"}));
    let edited = admin.patch(&address, json!({"stages": edited})).await.json();
    admin.patch(&path(&lead, "/stage"), json!({"stageId": edited["stages"][1]["id"]})).await;
    let homeless = admin.delete(&address).await;
    let target = &stage_ids(&admin).await[0];
    let deleted = admin.delete(&format!("{address}?moveLeadsTo={target}")).await;

    let names: Vec<&str> =
        edited["stages"].as_array().expect("stages").iter().filter_map(|stage| stage["name"].as_str()).collect();
    assert_eq!(names, ["In", "Talk", "Gone"]);
    assert_eq!(homeless.problem(), (409, "conflict".to_owned()));
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text());
    let list = admin.get("/v1/identity/lead-pipelines").await.json();
    assert_eq!((list["data"].as_array().map(Vec::len), &list["data"][0]["isDefault"]), (Some(1), &json!(true)));
    assert_eq!(admin.get(&path(&lead, "")).await.json()["stageId"], json!(target));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn asking_for_the_default_pipeline_twice_gives_the_same(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;

    let one = agent.post("/v1/identity/lead-pipelines/ensure-default", json!({})).await.json();
    let two = agent.post("/v1/identity/lead-pipelines/ensure-default", json!({})).await.json();

    assert_eq!((&one["isDefault"], &one), (&json!(true), &two));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn contacts_are_found_by_name_email_and_phone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.signed_in("agent@example.com", Role::Agent).await;
    let lead = make(&agent, anna()).await;
    make(&agent, json!({"name": "Ben"})).await;

    for search in ["KELLER", "anna%40", "0151%2012345678", "4915112"] {
        let found = agent.get(&format!("/v1/identity/contacts?search={search}")).await.json();

        assert_eq!((&found["total"], &found["data"][0]["id"]), (&json!(1), &lead["contactId"]), "{search}");
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_names_the_other_projects_that_its_person_asked_about(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let agent = site.with_token(&site.token(Role::Admin).await);
    let project =
        async |name: &str| agent.post("/v1/capture/projects", json!({"name": name})).await.json()["id"].clone();
    let (harbour, station) = (project("Harbour").await, project("Station").await);
    let lead = async |project: &Value, email: &str| {
        let draft = json!({"projectId": project, "name": "Anna", "email": email});
        let made = agent.post("/v1/identity/leads", draft).await.json();
        made["id"].as_str().expect("a lead").to_owned()
    };
    let related = async |lead: &str| {
        let found = agent.get(&format!("/v1/identity/leads/{lead}")).await.json();
        let all = found["relatedProjects"].as_array().expect("a list").clone();
        all.iter().map(|one| one["projectName"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };

    let here = lead(&harbour, "anna@example.com").await;
    let there = lead(&station, "anna@example.com").await;
    let stranger = lead(&station, "ben@example.com").await;

    assert_eq!((related(&here).await, related(&there).await), (vec!["Station".to_owned()], vec!["Harbour".to_owned()]));
    assert_eq!(related(&stranger).await, Vec::<String>::new());
    agent.delete(&format!("/v1/identity/leads/{there}")).await;
    assert_eq!(related(&here).await, Vec::<String>::new(), "what is deleted is not named");
    site.stop().await;
}
