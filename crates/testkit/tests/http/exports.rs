//! Leads and contacts as files for a spreadsheet.

use std::{path::Path, time::Duration};

use axum::{body::Body, http::StatusCode};
use futures_util::StreamExt;
use http::{Request, header};
use leadline_domain::{csv, permissions::Role};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Caller, Site, encoded, sheet};

/// The rows of a CSV as RFC 4180 has them, without the mark in front.
fn rows(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').expect("the mark of UTF-8");
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = text.chars().peekable();
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted && letters.peek() == Some(&'\n') => {
                letters.next();
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            other => cell.push(other),
        }
    }
    assert!(!is_quoted && cell.is_empty() && row.is_empty(), "the last line has an end");
    rows
}

async fn exported(caller: &Caller<'_>, query: &str) -> Vec<Vec<String>> {
    let answer = caller.get(&format!("/v1/identity/leads/export.csv{query}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    rows(&answer.text())
}

/// What stands in a column, from the second line on.
fn column(rows: &[Vec<String>], heading: &str) -> Vec<String> {
    let place = rows[0].iter().position(|name| name == heading);
    let place = place.unwrap_or_else(|| panic!("no column {heading} in {:?}", rows[0]));
    rows[1..].iter().map(|row| row[place].clone()).collect()
}

async fn add(caller: &Caller<'_>, lead: Value) -> Value {
    let answer = caller.post("/v1/identity/leads", lead).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

async fn people(site: &Site, admin: &Caller<'_>) {
    let budget = json!({"key": "budget", "name": "Budget", "type": "number"});
    assert_eq!(admin.post("/v1/identity/custom-fields", budget).await.status, StatusCode::OK);
    let likes = json!({"key": "likes", "name": "Name", "type": "text"});
    assert_eq!(admin.post("/v1/identity/custom-fields", likes).await.status, StatusCode::OK);
    add(
        admin,
        json!({"name": "Ada, \"the first\"", "email": "ada@example.com", "phone": "+4915112345678",
                      "message": "two\r\nlines", "tags": ["vip", "new"], "quoteValue": "12.50",
                      "customFields": {"budget": 30, "likes": "tea", "odd": {"a": 1}}}),
    )
    .await;
    site.app.advance(Duration::from_secs(1));
    add(
        admin,
        json!({"name": "Zoë", "email": "zoe@example.com", "company": "Ärzte", "tags": ["new"],
                      "customFields": {"budget": 4}}),
    )
    .await;
    site.app.advance(Duration::from_secs(1));
    add(admin, json!({"name": "Bob"})).await;
}

#[rstest]
#[tokio::test]
async fn leads_come_with_every_field_as_the_list_shows_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    people(&site, &admin).await;

    let all = exported(&admin, "?sortBy=name&sortOrder=asc").await;

    assert_eq!(column(&all, "Name"), ["Ada, \"the first\"", "Bob", "Zoë"]);
    assert_eq!(column(&all, "Phone"), ["+4915112345678", "", ""]);
    assert_eq!(column(&all, "Message"), ["two\r\nlines", "", ""]);
    assert_eq!(column(&all, "Tags"), ["vip; new", "", "new"]);
    assert_eq!(column(&all, "Budget"), ["30", "", "4"]);
    assert_eq!(column(&all, "Name (likes)"), ["tea", "", ""], "what is called like another column has its key");
    assert_eq!(column(&all, "Quote value"), ["12.50", "", ""]);
    assert_eq!(column(&all, "Stage"), ["New", "New", "New"]);
    assert_eq!(column(&all, "odd").concat(), r#"{"a":1}"#, "what nobody defined has a column, too");
    assert!(!all[0].contains(&"Other fields".to_owned()));
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_file_has_the_rows_order_and_columns_that_are_asked_for(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    people(&site, &admin).await;
    let names = |rows: Vec<Vec<String>>| column(&rows, "Name");

    assert_eq!(exported(&admin, "?columns=name,custom.budget,email").await[0], ["Name", "Budget", "Email"]);
    assert_eq!(names(exported(&admin, "?tag=vip").await), ["Ada, \"the first\""]);
    assert_eq!(names(exported(&admin, "?search=zoe").await), ["Zoë"]);
    assert_eq!(names(exported(&admin, "?sortBy=createdAt&sortOrder=asc").await), ["Ada, \"the first\"", "Zoë", "Bob"]);
    assert_eq!(
        names(exported(&admin, "?sortBy=custom.budget&sortOrder=asc").await),
        ["Zoë", "Ada, \"the first\"", "Bob"]
    );
    assert_eq!(names(exported(&admin, "?sortBy=email&sortOrder=desc").await), ["Zoë", "Ada, \"the first\"", "Bob"]);
    let rich = json!({"field": "custom.budget", "op": "at_least", "value": 10}).to_string();
    assert_eq!(names(exported(&admin, &format!("?filter={}", encoded(&rich))).await), ["Ada, \"the first\""]);
    for (query, pointer) in [("columns=secret", "/columns"), ("sortBy=password", "/sortBy"), ("filter=x", "/filter")] {
        let refused = admin.get(&format!("/v1/identity/leads/export.csv?{query}")).await;
        assert_eq!((refused.status, refused.pointers()), (StatusCode::UNPROCESSABLE_ENTITY, vec![pointer.to_owned()]));
    }
    site.stop().await;
}

/// Several strips of the walk, so that ends of strips are among what may be lost or doubled.
#[rstest]
#[tokio::test]
async fn every_lead_is_there_once_however_many_and_whatever_changes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    multiply(&site, 12_003).await;
    let expected: Vec<String> = (0..12_003).map(|number| format!("P{number:05}")).collect();

    for query in ["", "?sortOrder=asc", "?sortBy=updatedAt", "?sortBy=company&sortOrder=asc", "?tag=none-of-them"] {
        let mut names = column(&exported(&admin, query).await, "Name");
        names.sort();
        if query.contains("tag") {
            assert_eq!(names, Vec::<String>::new());
        } else {
            assert_eq!(names.len(), expected.len(), "{query}");
            assert_eq!(names, expected, "{query}");
        }
    }
    let by_name = column(&exported(&admin, "?sortBy=name&sortOrder=asc").await, "Name");
    assert_eq!(by_name, expected);

    // Somebody changes leads, and more come, while a file is fetched.
    let mut file = open(&site, &admin, "/v1/identity/leads/export.csv?sortBy=createdAt&sortOrder=asc").await;
    let mut text = Vec::new();
    while text.len() < 100_000 {
        text.extend(file.next().await.expect("more to come").expect("a piece"));
    }
    site.app.execute("UPDATE leads SET updated_at = updated_at + 1000000, score = score + 1, name = name || ''").await;
    add(&admin, json!({"name": "Late"})).await;
    while let Some(piece) = file.next().await {
        text.extend(piece.expect("a piece"));
    }
    let names = column(&rows(&String::from_utf8(text).expect("UTF-8")), "Name");
    let mut known: Vec<String> = names.into_iter().filter(|name| name != "Late").collect();
    known.sort();
    assert_eq!(known, expected);
    site.stop().await;
}

/// So many leads with a contact each, by copies of one.
async fn multiply(site: &Site, n: usize) {
    let (lead, contact) = match site.app.db() {
        Db::Sqlite => (
            "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-7' || substr(hex(randomblob(2)), 2)
            || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))",
            "contact_id",
        ),
        Db::Postgres => ("gen_random_uuid()", "contact_id"),
    };
    site.app.submit(json!({"name": "P00000", "company": "Same"})).await;
    let numbers = format!("WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {})", n - 1);
    let name = match site.app.db() {
        Db::Sqlite => "printf('P%05d', n)",
        Db::Postgres => "'P' || lpad(n::text, 5, '0')",
    };
    // Several of them came in the same millisecond.
    site.app
        .execute(&format!(
            "INSERT INTO leads (id, workspace_id, project_id, contact_id, pipeline_id, stage_id, rank, name, company,
                 source, source_name, tags, custom_fields, score, score_reasons, suspicion, suspicion_reasons,
                 first_touch, last_touch, submission_count, last_submission_at, stage_entered_at, is_test, version,
                 created_at, updated_at, search_text)
             {numbers}
             SELECT {lead}, workspace_id, project_id, {contact}, pipeline_id, stage_id, rank, {name}, company, source,
                 source_name, tags, custom_fields, n % 100, score_reasons, suspicion, suspicion_reasons, first_touch,
                 last_touch, 1, last_submission_at, stage_entered_at, is_test, 1, created_at + n / 7, updated_at + n / 3,
                 search_text
             FROM leads, n WHERE name = 'P00000'"
        ))
        .await;
    site.app.execute(&format!("UPDATE lead_stage_counts SET n = {n}")).await;
}

type Pieces = axum::body::BodyDataStream;

async fn open(site: &Site, caller: &Caller<'_>, path: &str) -> Pieces {
    let mut request = Request::get(path).body(Body::empty()).expect("a request");
    request.headers_mut().extend(caller.headers.clone());
    let response = site.answer(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!response.headers().contains_key(header::CONTENT_LENGTH), "the length is not known before");
    response.into_body().into_data_stream()
}

#[rstest]
#[tokio::test]
async fn a_file_that_breaks_off_is_no_whole_file(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    multiply(&site, 3_000).await;

    for path in ["/v1/identity/leads/export.csv", "/v1/identity/leads/export.xlsx"] {
        let mut file = open(&site, &admin, path).await;
        file.next().await.expect("a heading").expect("a piece");
        site.app.execute("ALTER TABLE leads RENAME TO elsewhere").await;
        let rest: Vec<_> = file.collect().await;
        site.app.execute("ALTER TABLE elsewhere RENAME TO leads").await;

        assert!(rest.last().is_some_and(Result::is_err), "{path} ends as if it were whole");
    }
    site.stop().await;
}

/// Nothing works ahead of whoever fetches the file, so nothing is left working for who is gone.
#[rstest]
#[tokio::test]
async fn who_goes_away_leaves_nothing_running(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    multiply(&site, 12_000).await;

    // More of them than there are connections to read by.
    let mut files = Vec::new();
    for _ in 0..20 {
        let mut file = open(&site, &admin, "/v1/identity/leads/export.csv").await;
        file.next().await.expect("a heading").expect("a piece");
        file.next().await.expect("rows").expect("a piece");
        files.push(file);
    }
    assert_eq!(admin.get("/v1/identity/leads").await.status, StatusCode::OK, "open files hold no connection");
    drop(files);
    assert_eq!(column(&exported(&admin, "").await, "Name").len(), 12_000);
    site.stop().await;
}

fn formulas() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases/payloads/csv_formula.json");
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("the formulas are not at {}: {error}", path.display()));
    serde_json::from_str(&text).expect("a list of texts")
}

#[rstest]
#[tokio::test]
async fn no_cell_is_computed_and_each_reads_back(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    for (number, formula) in formulas().iter().enumerate() {
        let custom = json!({"formula": formula, "escaped": format!("'{formula}")});
        add(&admin, json!({"name": format!("L{number:02}"), "customFields": custom})).await;
    }

    let table = exported(&admin, "?columns=name,custom.formula,custom.escaped&sortBy=name&sortOrder=asc").await;

    for (row, formula) in table[1..].iter().zip(formulas()) {
        let is_number = formula.trim_start_matches(['+', '-']).parse::<u64>().is_ok();
        let is_a_word = formula.trim_start().starts_with(char::is_alphabetic);
        assert!(is_number || is_a_word || row[1].starts_with('\''), "{:?} for {formula:?}", row[1]);
        assert_eq!(csv::restored(&row[1]), formula);
        assert_eq!(csv::restored(&row[2]), format!("'{formula}"));
    }
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn personal_data_is_masked_for_who_may_not_see_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    people(&site, &admin).await;
    let viewer = site.signed_in("viewer@example.com", Role::Viewer).await;

    for what in ["leads", "contacts"] {
        let text = viewer.get(&format!("/v1/identity/{what}/export.csv")).await.text();
        for secret in ["ada@", "Ada", "4915112345678", "two", "Zoë", "tea"] {
            assert!(!text.contains(secret), "{secret} stands in {what}: {text}");
        }
        assert_eq!(rows(&text).len(), 4, "{text}");
        for query in ["sortBy=name", "search=ada"] {
            let answer = viewer.get(&format!("/v1/identity/{what}/export.csv?{query}")).await;
            let is_open = what == "leads" && query.starts_with("search");
            if is_open {
                assert_eq!(rows(&answer.text()).len(), 1, "a search finds companies alone");
            } else {
                assert_eq!(answer.problem().0, 403, "{what} {query}");
            }
        }
    }
    let email = json!({"field": "email", "op": "contains", "value": "ada"}).to_string();
    let refused = viewer.get(&format!("/v1/identity/leads/export.csv?filter={}", encoded(&email))).await;
    assert_eq!(refused.problem().0, 403);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn contacts_come_with_what_is_kept_of_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    people(&site, &admin).await;
    let leads = admin.get("/v1/identity/leads?search=ada").await.json();
    let path = format!("/v1/identity/leads/{}/convert", leads["data"][0]["id"].as_str().expect("an id"));
    admin.post(&path, json!({"name": "Ada Lovelace", "platform": "shop"})).await;

    let table = rows(&admin.get("/v1/identity/contacts/export.csv?sortBy=name&sortOrder=asc").await.text());

    assert_eq!(column(&table, "Name"), ["Ada Lovelace", "Bob", "Zoë"]);
    assert_eq!(column(&table, "Lifecycle"), ["customer", "lead", "lead"]);
    assert_eq!(column(&table, "Platform"), ["shop", "", ""]);
    assert_eq!(column(&table, "Budget"), ["30", "", ""]);
    assert_eq!(column(&table, "odd"), [r#"{"a":1}"#, "", ""]);
    assert_eq!(column(&table, "Tags"), ["vip; new", "", ""]);
    let won = rows(&admin.get("/v1/identity/contacts/export.csv?lifecycle=customer&tag=vip").await.text());
    assert_eq!(column(&won, "Email"), ["ada@example.com"]);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_workbook_has_texts_and_numbers_and_nothing_that_is_computed(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("admin@example.com", Role::Admin).await;
    people(&site, &admin).await;
    add(&admin, json!({"name": "=1+1<&>\u{1}"})).await;

    let answer =
        admin.get("/v1/identity/leads/export.xlsx?columns=name,phone,custom.budget&sortBy=name&sortOrder=asc").await;

    assert!(answer.header("content-disposition").contains("leads-2026-"), "{}", answer.header("content-disposition"));
    let sheet = sheet(&answer.body);
    assert!(sheet.contains("xml:space=\"preserve\">'=1+1&lt;&amp;&gt;_x0001_</t>"), "{sheet}");
    assert!(sheet.contains("t=\"inlineStr\"><is><t xml:space=\"preserve\">+4915112345678</t>"), "{sheet}");
    assert!(sheet.contains("<c r=\"C3\"><v>30</v></c>"), "{sheet}");
    assert!(!sheet.contains("<f>"));
    let contacts = admin.get("/v1/identity/contacts/export.xlsx").await;
    assert_eq!(contacts.status, StatusCode::OK);
    site.stop().await;
}
