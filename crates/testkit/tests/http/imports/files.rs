//! Files of every kind: right rows, or a clear refusal.

use std::{fs::File, io::Write, path::PathBuf};

use leadline_domain::permissions::Role;
use leadline_engine::capture::imports::file::{self, FileFault, Hints, Layout, Take};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{bring, choose, go, import, lead, leads, path, send};
use crate::browser::Site;

/// Rows as they are read.
#[derive(Default)]
struct Rows {
    layout: Option<Layout>,
    rows: Vec<Vec<String>>,
}

impl Take for Rows {
    fn layout(&mut self, layout: Layout) -> Result<(), FileFault> {
        self.layout = Some(layout);
        Ok(())
    }

    fn row(&mut self, cells: Vec<String>) -> Result<(), FileFault> {
        self.rows.push(cells);
        Ok(())
    }
}

fn on_disk(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("written");
    std::io::Seek::rewind(&mut file).expect("rewound");
    file
}

fn read(bytes: &[u8]) -> Result<Rows, FileFault> {
    let mut rows = Rows::default();
    file::read(on_disk(bytes), &Hints::default(), &mut rows)?;
    Ok(rows)
}

fn shared(path: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases").join(path);
    assert!(path.exists(), "the outside test material is missing: {}", path.display());
    path
}

/// Without blank lines, which say nothing in a file of leads.
fn filled(rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.into_iter().filter(|row| !matches!(row.as_slice(), [cell] if cell.is_empty())).collect()
}

#[test]
fn rows_are_read_as_other_readers_read_them() {
    let text = std::fs::read_to_string(shared("csv/papaparse.json")).expect("readable");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("a list of cases");
    let mut seen = 0;
    for case in cases.iter().filter(|case| case["config"] == json!({})) {
        let Ok(expected) = serde_json::from_value::<Vec<Vec<String>>>(case["data"].clone()) else { continue };
        // A delimiter that a function of theirs chooses, and values that another changes.
        let is_of_a_function = ["Callback delimiter", "Custom transform accepts column number also"];
        if is_of_a_function.iter().any(|name| case["description"] == *name) {
            continue;
        }
        let input = case["input"].as_str().expect("a text");
        let found = if input.is_empty() { Vec::new() } else { read(input.as_bytes()).expect("a file").rows };
        assert_eq!(filled(found), filled(expected), "{}", case["description"]);
        seen += 1;
    }
    assert!(seen > 30, "{seen} cases");
}

#[test]
fn the_spectrum_of_files_is_read() {
    for name in ["escaped_quotes", "location_coordinates", "newlines", "newlines_crlf", "simple", "utf8"] {
        let mut file = std::fs::read(shared(&format!("csv/spectrum/csvs/{name}.csv"))).expect("a file");
        if name == "newlines_crlf" && !file.contains(&b'\r') {
            // Git takes the one thing away that this file is about.
            file = String::from_utf8(file).expect("ASCII").replace('\n', "\r\n").into_bytes();
        }
        let expected = std::fs::read_to_string(shared(&format!("csv/spectrum/json/{name}.json"))).expect("its rows");
        let expected = match serde_json::from_str(&expected).expect("objects") {
            Value::Array(rows) => rows,
            row => vec![row],
        };
        let mut rows = read(&file).expect("readable").rows.into_iter();
        let header = rows.next().expect("a header");
        let found: Vec<Value> = filled(rows.collect())
            .into_iter()
            .map(|row| header.iter().cloned().zip(row.into_iter().map(Value::String)).collect())
            .collect();
        if name == "location_coordinates" {
            // Its signs of degrees are no letters of any text; the rest of the row is whole.
            assert_eq!((found[0]["Cities"].clone(), found.len()), (expected[0]["Cities"].clone(), 1));
        } else {
            assert_eq!(found, expected, "{name}");
        }
    }
}

#[rstest]
#[case::utf_8_with_a_mark("\u{feff}Name;Mail\nZoë;z@example.com\n".as_bytes().to_vec(), "UTF-8")]
#[case::utf_16_le(wide("Name;Mail\nZoë;z@example.com\n", u16::to_le_bytes), "UTF-16LE")]
#[case::utf_16_be(wide("Name;Mail\nZoë;z@example.com\n", u16::to_be_bytes), "UTF-16BE")]
#[case::utf_16_le_with_a_mark(wide("\u{feff}Name;Mail\nZoë;z@example.com\n", u16::to_le_bytes), "UTF-16LE")]
#[case::windows_1252(b"Name;Mail\nZo\xeb;z@example.com\n".to_vec(), "windows-1252")]
#[case::at_the_end(late(), "windows-1252")]
#[tokio::test]
async fn a_name_is_read_in_any_encoding(#[case] bytes: Vec<u8>, #[case] encoding: &str) {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;

    let brought = bring(&site, &admin, bytes).await;
    go(&site, &admin, &brought, "/start").await;

    assert_eq!(brought["encoding"], encoding);
    assert_eq!(lead(&admin, "Zoë").await["email"], "z@example.com");
    site.stop().await;
}

fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

/// The one letter that tells stands behind what is read at once.
fn late() -> Vec<u8> {
    let note = "x".repeat(1_000);
    let rows: String = (0..100).map(|number| format!("P{number};p{number}@example.com;{note}\n")).collect();
    let mut bytes = format!("Name;Mail;Note\n{rows}").into_bytes();
    bytes.extend(b"Zo\xeb;z@example.com;\n");
    bytes
}

/// A workbook of one sheet.
fn workbook(sheet: &str, texts: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let links = |links: &[(&str, &str)]| {
        let links: String = links
            .iter()
            .enumerate()
            .map(|(id, (of, target))| format!("<Relationship Id=\"r{id}\" Type=\"{kind}/{of}\" Target=\"{target}\"/>"))
            .collect();
        format!("<?xml version=\"1.0\"?><Relationships>{links}</Relationships>")
    };
    let parts = [
        ("_rels/.rels", links(&[("officeDocument", "xl/workbook.xml")])),
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name=\"Old\" sheetId=\"1\" r:id=\"r9\" state=\"hidden\"/><sheet name=\"People\" sheetId=\"2\" r:id=\"r0\"/></sheets></workbook>".to_owned(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            links(&[("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "/xl/sharedStrings.xml"), ("styles", "styles.xml")]),
        ),
        ("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>".to_owned()),
        ("xl/sharedStrings.xml", format!("<sst>{texts}</sst>")),
        ("xl/worksheets/sheet1.xml", format!("<worksheet><sheetData>{sheet}</sheetData></worksheet>")),
    ];
    for (name, text) in parts {
        zip.start_file(name, SimpleFileOptions::default()).expect("a part");
        zip.write_all(text.as_bytes()).expect("written");
    }
    zip.finish().expect("a workbook").into_inner()
}

#[rstest]
#[tokio::test]
async fn a_workbook_becomes_leads(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let texts = "<si><t>Name</t></si><si><t>Phone</t></si><si><t>Met on</t></si><si><r><t>Zoë </t></r><r><t>&amp; Co_x000D_</t></r><rPh><t>x</t></rPh></si>";
    let sheet = "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>0</v></c><c r=\"C2\" t=\"s\"><v>1</v></c><c r=\"D2\" t=\"s\"><v>2</v></c></row>\
                 <row r=\"5\"><c r=\"A5\" t=\"s\"><v>3</v></c><c r=\"C5\"><v>4.915112345678E12</v></c><c r=\"D5\" s=\"1\"><v>46053</v></c></row>\
                 <row r=\"6\"><c r=\"A6\" t=\"inlineStr\"><is><t>Bob</t></is></c><c r=\"B6\" t=\"b\"><v>1</v></c><c r=\"C6\" t=\"e\"><v>#N/A</v></c></row>";

    let brought = bring(&site, &admin, workbook(sheet, texts)).await;
    choose(&admin, &brought, json!({"columns": [{"target": "name"}, {"target": "custom", "name": "B"}, {"target": "phone"}, {"target": "custom", "name": "Met on"}]})).await;
    let done = go(&site, &admin, &brought, "/start").await;

    assert_eq!(
        (&brought["format"], &brought["sheet"], &brought["headerRow"]),
        (&json!("xlsx"), &json!("People"), &json!(2))
    );
    assert_eq!(done["tally"]["createdRows"], json!([5, 6]));
    let zoe = lead(&admin, "Zoë & Co").await;
    assert_eq!((&zoe["phoneRaw"], &zoe["customFields"]["metOn"]), (&json!("4915112345678"), &json!("2026-01-31")));
    assert_eq!(lead(&admin, "Bob").await["customFields"]["b"], "TRUE");
    let wrong = send(&site, &admin, "sheet=Nope", workbook(sheet, texts)).await;
    assert_eq!(wrong.problem(), (422, "unreadable_file".to_owned()));
    site.stop().await;
}

fn bomb() -> Vec<u8> {
    let cell = format!("<row><c t=\"inlineStr\"><is><t>{}</t></is></c></row>", "a".repeat(3_000_000));
    workbook(&cell, "")
}

#[rstest]
#[case::empty(Vec::new(), "", 422)]
#[case::only_a_header(b"Name,Email\n".to_vec(), "", 422)]
#[case::only_blank_lines(b"\n \n\r\n".to_vec(), "", 422)]
#[case::a_pdf(b"%PDF-1.7\n".to_vec(), "", 422)]
#[case::an_old_workbook(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), "", 422)]
#[case::bytes(vec![0, 1, 2, 3, 4, 0, 0, 0, 1, 2, 3], "", 422)]
#[case::a_cut_zip(workbook("", "")[..200].to_vec(), "", 422)]
#[case::no_workbook(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(), "", 422)]
#[case::a_bomb(bomb(), "", 422)]
#[case::entities(workbook("<!DOCTYPE x [<!ENTITY a \"b\">]><row><c><v>&a;</v></c></row>", ""), "", 422)]
#[case::far_away(workbook("<row r=\"99999999999\"><c><v>1</v></c></row>", ""), "", 422)]
#[case::an_open_quote(format!("Name,Email\nA,\"{}", "b\n".repeat(800_000)).into_bytes(), "", 422)]
#[case::too_many_cells(format!("Name{}\nA\n", ",".repeat(600)).into_bytes(), "", 422)]
#[case::encoding(b"Name\nA\n".to_vec(), "encoding=klingon", 422)]
#[case::delimiter(b"Name\nA\n".to_vec(), "delimiter=ab", 422)]
#[case::too_large(vec![b'a'; 4_000_001], "", 413)]
#[tokio::test]
async fn what_is_no_file_of_leads_is_refused_and_leaves_nothing(
    #[case] file: Vec<u8>,
    #[case] query: &str,
    #[case] status: u16,
) {
    let site = Site::start(Db::Sqlite).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;

    let answer = send(&site, &admin, query, file).await;

    assert_eq!(answer.problem().0, status, "{}", answer.text());
    assert_eq!(site.app.count("imports").await + site.app.count("import_blocks").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn formulas_are_kept_as_text_and_defused_on_the_way_out(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let text = std::fs::read_to_string(shared("payloads/csv_formula.json")).expect("readable");
    let formulas: Vec<String> = serde_json::from_str(&text).expect("a list of texts");
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let made: String = formulas.iter().enumerate().map(|(n, text)| format!("N{n},{},x\n", quoted(text))).collect();
    let refused: String = formulas.iter().map(|text| format!(",{},x\n", quoted(text))).collect();

    let done = import(&site, &admin, format!("Name,Note,Z\n{made}{refused}"), json!({})).await;

    for (number, formula) in formulas.iter().enumerate() {
        let stored = lead(&admin, &format!("N{number}")).await["customFields"]["note"].clone();
        assert_eq!(stored, formula.trim(), "{formula:?}");
    }
    let errors = admin.get(&path(&done, "/errors.csv")).await;
    assert!(errors.header("content-disposition").starts_with("attachment"));
    let rows = read(&errors.body).expect("a readable file").rows;
    assert_eq!(rows[0], ["Name", "Note", "Z", "Row in the file", "Why it was refused"]);
    assert_eq!(rows.len(), formulas.len() + 1);
    for (row, formula) in rows[1..].iter().zip(&formulas) {
        let computes = formula.trim_start().starts_with(['=', '@', '＝', '＋', '－', '＠']);
        assert!(
            row[1] == format!("'{formula}") || (row[1] == *formula && !computes),
            "{formula:?} became {:?}",
            row[1]
        );
        assert_eq!(row[4], "There is no name, e-mail address or phone number in it");
    }
    let corrected = String::from_utf8(errors.body).expect("text").replace("\r\n,", "\r\nCorrected,");
    let again = import(&site, &admin, corrected, json!({})).await;
    assert_eq!(
        (again["tally"]["created"].as_u64(), leads(&admin).await.len()),
        (Some(formulas.len() as u64), 2 * formulas.len())
    );
    assert_eq!(again["columns"][3]["target"], "ignore");
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn whatever_a_cell_holds_is_stored_or_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let admin = site.signed_in("ann@example.com", Role::Admin).await;
    let text = std::fs::read_to_string(shared("strings/blns.json")).expect("readable");
    let strings: Vec<String> = serde_json::from_str(&text).expect("a list of texts");
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let rows: String = strings
        .iter()
        .map(|text| format!("{},{},\"\0nul\0\",{}\n", quoted(text), quoted(text), "z".repeat(40)))
        .collect();

    let brought = bring(&site, &admin, format!("Name,Note,Nul,'; DROP TABLE leads; --\n{rows}")).await;
    let done = go(&site, &admin, &brought, "/start").await;

    assert_eq!(done["job"]["state"], "done", "{done}");
    let rows = |name: &str| done["tally"][name].as_u64().expect("a number");
    assert_eq!(rows("created") + rows("refused"), done["rowCount"].as_u64().expect("a number"));
    site.app.run_jobs().await;
    assert_eq!(admin.get("/v1/identity/leads?limit=200").await.status, 200);
    site.stop().await;
}
