//! What others collected against sanitisers, as e-mail that comes in.

use leadline_domain::messaging::incoming;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/payloads");

/// It breaks nothing that reads it, and is text, which screens show as text.
#[test]
fn nothing_that_others_collected_breaks_the_reading() {
    for name in ["xss", "dompurify"] {
        let text = std::fs::read_to_string(format!("{CASES}/{name}.json"))
            .expect("the outside test material is missing: ../shared/cases/payloads beside the project");
        let cases: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let cases = cases.as_array().expect("a list");
        assert!(cases.len() > 100, "only {} cases", cases.len());
        for case in cases {
            let page = case.as_str().map_or_else(|| case.to_string(), str::to_owned);
            let raw = format!(
                "From: eve@example.com\r\nMessage-ID: <m@example.com>\r\n\
                 Content-Type: text/html; charset=utf-8\r\n\r\n{page}"
            );
            let said = incoming::read(raw.as_bytes()).expect("a mail");
            assert!(said.text.len() <= page.len() * 4 && !said.text.contains('\0'), "{page:?} became {:?}", said.text);
        }
    }
}
