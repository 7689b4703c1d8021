use rstest::rstest;
use serde_json::json;

use super::*;

fn parse(text: &str) -> Result<Template, TemplateError> {
    Template::parse(text, |path| path[0] != "nobody")
}

fn filled(text: &str, values: &Value) -> String {
    parse(text).expect("a template").fill(values)
}

#[test]
fn values_stand_where_their_names_stood_and_all_else_is_as_written() {
    let text = "{\n  \"properties\": {\"email\": \"{{email}}\",\"n\": 1.50, \"who\":\"Dear {{ firstName }}, {{x}}!\"},\n  \"list\": [true, null, \"{{email}}\"]\n}";

    let text = filled(text, &json!({"email": "ada@example.com", "firstName": "Ada"}));

    let wanted = "{\n  \"properties\": {\"email\": \"ada@example.com\",\"n\": 1.50, \"who\":\"Dear Ada, !\"},\n  \"list\": [true, null, \"ada@example.com\"]\n}";
    assert_eq!(text, wanted);
}

#[rstest]
#[case::quotes("\"},\"admin\":true,{\"")]
#[case::newlines("a\nb\r\nc\td")]
#[case::controls("\u{0}\u{1}\u{1f}\u{7f}\u{80}")]
#[case::backslashes("\\\\\" \\u0022")]
#[case::braces("{{email}} }} {{ {{phone}}")]
#[case::four_bytes("😀𝒜\u{10ffff}")]
#[case::separators("\u{2028}\u{2029}\u{feff}")]
fn no_value_breaks_out_of_its_string(#[case] value: &str) {
    let text = filled(r#"{"a": "x{{name}}y", "{b": ["{{name}}"]}"#, &json!({"name": value}));

    let read: Value = serde_json::from_str(&text).expect("valid JSON");
    assert_eq!(read, json!({"a": format!("x{value}y"), "{b": [value]}));
}

#[rstest]
#[case::nothing(json!(null), "")]
#[case::number(json!(42), "42")]
#[case::yes(json!(true), "true")]
#[case::list(json!(["a", "b", 3]), "a, b, 3")]
#[case::object(json!({"k": "v"}), r#"{"k":"v"}"#)]
fn each_kind_of_value_has_a_text(#[case] value: Value, #[case] wanted: &str) {
    let text = filled(r#"["{{value}}"]"#, &json!({"value": value}));

    assert_eq!(text, json!([wanted]).to_string());
}

#[test]
fn paths_lead_into_objects_and_names_may_hold_dots() {
    let values = json!({"customFields": {"budget": 5, "a.b": {"c": "deep"}}, "firstTouch": {"utmSource": "ads"}});
    let text = filled(
        r#"["{{customFields.budget}}","{{customFields.a.b.c}}","{{firstTouch.utmSource}}","{{customFields.none.x}}"]"#,
        &values,
    );

    assert_eq!(text, r#"["5","deep","ads",""]"#);
}

#[rstest]
#[case("name | upper", "ÉVA ")]
#[case("name|lower|trim", "éva")]
#[case("name | cut:2", "Év")]
#[case("none | default:'n/a'", "n/a")]
#[case("none | default:'it | works' | upper", "IT | WORKS")]
#[case("name | trim | default:'n/a'", "Éva")]
#[case("phone | national", "030 123456")]
#[case("phone | international", "+49 30 123456")]
#[case("typed | e164", "+4930123456")]
#[case("name | national | trim", "Éva")]
#[case("at | date", "2026-11-21")]
#[case("at | date:'%d.%m.%Y %H:%M'", "21.11.2026 08:05")]
#[case("name | date | trim", "Éva")]
fn filters_apply_in_their_order(#[case] placeholder: &str, #[case] wanted: &str) {
    let values = json!({
        "name": "Éva ", "phone": "+4930123456", "typed": "+49 (30) 123456", "at": "2026-11-21T08:05:00.000Z",
    });

    assert_eq!(filled(&format!(r#"["{{{{{placeholder}}}}}"]"#), &values), json!([wanted]).to_string());
}

#[test]
fn a_filter_may_have_its_text_in_either_quotes() {
    let text = filled(r#"["{{x | default:\"a 'b'\"}}","{{x | default:plain}}"]"#, &json!({}));

    assert_eq!(text, r#"["a 'b'","plain"]"#);
}

#[rstest]
#[case::empty("", 1, 1, "invalid_json")]
#[case::no_json("{\n  \"a\": \"{{email}}\",\n}", 3, 1, "invalid_json")]
#[case::a_text("\"{{email}}\"", 1, 1, "invalid_json")]
#[case::outside_of_a_string("{\"a\": {{email}} }", 1, 8, "invalid_json")]
#[case::in_a_name("{\n \"{{email}}\": 1}", 2, 3, "placeholder_in_name")]
#[case::not_closed("[1,\n\"é{{email\"]", 2, 3, "invalid_placeholder")]
#[case::no_name("[\"{{ }}\"]", 1, 3, "invalid_placeholder")]
#[case::a_dot_too_many("[\"{{a..b}}\"]", 1, 3, "invalid_placeholder")]
#[case::nobody("[\"ok\", \"{{nobody}}\"]", 1, 9, "unknown_placeholder")]
#[case::no_such_filter("[\"{{a | shout}}\"]", 1, 3, "unknown_filter")]
#[case::a_filter_without_its_text("[\"{{a | default}}\"]", 1, 3, "invalid_filter")]
#[case::a_filter_with_too_much("[\"{{a | upper:1}}\"]", 1, 3, "invalid_filter")]
#[case::an_open_quote("[\"{{a | default:'x}}\"]", 1, 3, "invalid_filter")]
#[case::no_number("[\"{{a | cut:many}}\"]", 1, 3, "invalid_filter")]
#[case::no_date("[\"{{a | date:'%Q'}}\"]", 1, 3, "invalid_filter")]
fn what_is_wrong_is_said_with_its_place(
    #[case] text: &str,
    #[case] line: usize,
    #[case] column: usize,
    #[case] code: &str,
) {
    let error = parse(text).expect_err("not a template");

    assert_eq!((error.line, error.column, error.code), (line, column, code), "{error}");
}

#[test]
fn templates_have_bounds() {
    let deep = format!("{}1{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    let many = format!("[\"{}\"]", "{{a}}".repeat(MAX_PLACEHOLDERS + 1));
    let long = format!("[\"{}\"]", "a".repeat(MAX_BYTES));

    let codes = [deep, many, long].map(|text| parse(&text).expect_err("beyond the bounds").code);

    assert_eq!(codes, ["template_too_deep", "too_many_placeholders", "template_too_long"]);
    assert!(parse(&format!("[\"{}\"]", "{{a}}".repeat(MAX_PLACEHOLDERS))).is_ok());
}

#[test]
fn a_value_of_a_megabyte_goes_out_whole_and_a_hundred_of_them_are_cut() {
    let values = json!({"message": "€".repeat(350_000)});
    let once = filled(r#"{"m": "{{message}}"}"#, &values);
    let often = filled(&format!("[\"{}\"]", "{{message}}".repeat(100)), &values);

    let among_others = filled(&format!("[\"{{{{message}}}}\", \"{}\"]", "{{name}}".repeat(50)), &values);

    assert_eq!(serde_json::from_str::<Value>(&once).expect("JSON")["m"], values["message"]);
    assert_eq!(serde_json::from_str::<Value>(&among_others).expect("JSON")[0], values["message"]);
    assert!(serde_json::from_str::<Value>(&often).is_ok());
    assert!(often.len() <= VALUES_MAX_BYTES + 4, "{}", often.len());
}
