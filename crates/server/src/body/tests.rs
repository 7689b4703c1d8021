//! Bodies of every kind, and the cases that others wrote (in `../shared/cases`, beside the project).

use std::{fs, path::PathBuf};

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rstest::rstest;
use serde_json::json;

use super::*;

fn shared(path: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/cases").join(path);
    assert!(folder.exists(), "the outside test material is missing: {} does not exist", folder.display());
    folder
}

fn files(path: &str, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(shared(path)).expect("the folder can be read");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    assert!(!files.is_empty(), "no .{extension} files in {path}");
    files
}

fn name_of(file: &std::path::Path) -> &str {
    file.file_stem().and_then(|name| name.to_str()).expect("names are text")
}

const JSON: Option<&str> = Some("application/json");
const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

fn fields(content_type: Option<&str>, body: impl AsRef<[u8]>) -> Fields {
    parse(content_type, body.as_ref()).expect("the body is fine").fields
}

fn refusal(content_type: Option<&str>, body: impl AsRef<[u8]>) -> Code {
    parse(content_type, body.as_ref()).expect_err("the body must be refused").code()
}

fn object(fields: Fields) -> Value {
    Value::Object(fields.into_iter().collect())
}

#[test]
fn json_test_suite_is_read_as_a_field_value() {
    for file in files("json/jsontestsuite", "json") {
        let document = fs::read(&file).expect("the file can be read");
        let body = [&br#"{"name":"a","x":"#[..], &document, b"}"].concat();

        let result = parse(JSON, &body);

        match name_of(&file).as_bytes()[0] {
            b'y' => assert!(result.is_ok(), "{} must be accepted: {result:?}", name_of(&file)),
            b'n' => assert!(result.is_err(), "{} must be refused: {result:?}", name_of(&file)),
            _ => {}
        }
        let _whole = parse(JSON, &document);
    }
}

#[test]
fn json_round_trips_as_the_same_value() {
    let mut read = Vec::new();
    for file in files("json/transform", "json") {
        let document = fs::read(&file).expect("the file can be read");
        let body = [&br#"{"x":"#[..], &document, b"}"].concat();
        read.push((name_of(&file).to_owned(), fields(JSON, body)[0].1.to_string()));
    }

    let read: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        read,
        [
            ("number_-9223372036854775809", "[-9.223372036854776e+18]"),
            ("number_1.0", "[1.0]"),
            ("number_1e-999", "[0.0]"),
            ("number_1e6", "[1000000.0]"),
            ("object_key_nfc_nfd", "{\"e\u{301}\":\"NFD\",\"é\":\"NFC\"}"),
            ("object_key_nfd_nfc", "{\"e\u{301}\":\"NFD\",\"é\":\"NFC\"}"),
            ("object_same_key_different_values", "{\"a\":2}"),
            ("object_same_key_same_value", "{\"a\":1}"),
            ("string_1_escaped_invalid_codepoint", "[\"\u{fffd}\"]"),
            ("string_2_escaped_invalid_codepoints", "[\"\u{fffd}\u{fffd}\"]"),
            ("string_3_escaped_invalid_codepoints", "[\"\u{fffd}\u{fffd}\u{fffd}\"]"),
        ]
    );
}

#[rstest]
#[case("9223372036854775807", json!(9_223_372_036_854_775_807_i64))]
#[case("18446744073709551615", json!(18_446_744_073_709_551_615_u64))]
#[case("123456789012345678901234567890", json!("123456789012345678901234567890"))]
#[case("-9223372036854775809", json!("-9223372036854775809"))]
#[case("0.1234567890123456789", json!("0.1234567890123456789"))]
#[case("1e400", json!("1e400"))]
#[case("1E-999", json!("1E-999"))]
#[case("49.90", json!(49.90))]
#[case("-0", json!(-0.0))]
#[case("false", json!(false))]
#[case("null", json!(null))]
fn a_number_that_a_float_would_change_stays_text(#[case] number: &str, #[case] expected: Value) {
    assert_eq!(fields(JSON, format!(r#"{{"n":{number}}}"#))[0].1, expected);
}

#[test]
fn names_at_the_top_keep_their_order_and_repeats() {
    let read = fields(JSON, r#"{"b":1,"a":2,"b":3,"":4}"#);

    assert_eq!(
        read,
        [("b".into(), json!(1)), ("a".into(), json!(2)), ("b".into(), json!(3)), (String::new(), json!(4))]
    );
}

#[rstest]
#[case::cut_emoji(r#"{"m":"hi \ud83d"}"#, "hi \u{fffd}")]
#[case::whole_emoji_beside_it(r#"{"m":"\ud83d\ude00 \ude00"}"#, "😀 \u{fffd}")]
#[case::escaped_backslash(r#"{"m":"\\ud83d \ud83d"}"#, "\\ud83d \u{fffd}")]
fn half_a_surrogate_pair_does_not_cost_the_lead(#[case] body: &str, #[case] expected: &str) {
    assert_eq!(fields(JSON, body)[0].1, json!(expected));
}

#[rstest]
#[case::array("[]", Code::NotAnObject)]
#[case::array_of_objects("[{\"a\":1}]", Code::NotAnObject)]
#[case::null("null", Code::NotAnObject)]
#[case::text("\"s\"", Code::NotAnObject)]
#[case::deep_array(&"[".repeat(500_000), Code::TooManyFields)]
#[case::deep_object(&format!("{}1{}", "{\"a\":".repeat(1_000), "}".repeat(1_000)), Code::UnreadableBody)]
#[case::empty("", Code::EmptyBody)]
#[case::spaces("  \r\n", Code::EmptyBody)]
#[case::bytes_that_build_giants(&format!("{{\"a\":[{}0]}}", "{\"\":1},".repeat(100_000)), Code::TooManyFields)]
#[case::too_many_fields(&format!("{{{}\"z\":1}}", (0..1_000).map(|n| format!("\"f{n}\":1,")).collect::<String>()), Code::TooManyFields)]
#[case::giant_name(&format!("{{\"{}\":1}}", "k".repeat(200_000)), Code::TooManyFields)]
fn json_that_is_no_submission_is_refused(#[case] body: &str, #[case] code: Code) {
    assert_eq!(refusal(JSON, body), code);
}

#[rstest]
#[case::invalid_utf_8(JSON, b"{\"name\":\"\xff\"}", Code::UnreadableBody)]
#[case::overlong(JSON, b"{\"name\":\"..\xc0\xaf\"}", Code::UnreadableBody)]
#[case::charset_unknown(Some("application/json; charset=klingon"), b"{}", Code::UnsupportedMediaType)]
#[case::xml(Some("application/xml"), b"<a/>", Code::UnsupportedMediaType)]
#[case::no_boundary(Some("multipart/form-data"), b"--X\r\n", Code::UnreadableBody)]
#[case::long_boundary(Some(&*format!("multipart/form-data; boundary={}", "b".repeat(60_000))), b"--b", Code::UnreadableBody)]
#[case::no_kind_at_all(None, b"hello", Code::UnreadableBody)]
fn a_body_that_is_not_what_it_says_is_refused(
    #[case] content_type: Option<&str>,
    #[case] body: &[u8],
    #[case] code: Code,
) {
    assert_eq!(refusal(content_type, body), code);
}

#[rstest]
#[case::json(JSON, "{\"a\":\"1\"}", Kind::Json)]
#[case::json_with_suffix(Some("application/vnd.api+json; charset=utf-8"), "{\"a\":\"1\"}", Kind::Json)]
#[case::bom(JSON, "\u{feff}{\"a\":\"1\"}", Kind::Json)]
#[case::beacon(Some("text/plain;charset=UTF-8"), " {\"a\":\"1\"}", Kind::Json)]
#[case::plain_form(Some("text/plain"), "a=1", Kind::Urlencoded)]
#[case::form(FORM, "a=1", Kind::Urlencoded)]
#[case::json_as_form(FORM, "{\"a\":\"1\"}", Kind::Json)]
#[case::untyped_json(None, "{\"a\":\"1\"}", Kind::Json)]
#[case::untyped_form(None, "a=1", Kind::Urlencoded)]
#[case::empty_type(Some(""), "a=1", Kind::Urlencoded)]
#[case::untyped_multipart(
    None,
    "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X--\r\n",
    Kind::Multipart
)]
fn every_kind_of_body_gives_the_same_fields(
    #[case] content_type: Option<&str>,
    #[case] body: &str,
    #[case] kind: Kind,
) {
    let parsed = parse(content_type, body.as_bytes()).expect("the body is fine");

    assert_eq!((parsed.kind, parsed.fields), (kind, vec![("a".to_owned(), json!("1"))]));
}

#[test]
fn json_in_utf_16_is_read_where_it_says_so() {
    let body: Vec<u8> = "\u{feff}{\"a\":\"é\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();

    assert_eq!(fields(Some("application/json; charset=utf-16"), body), [("a".to_owned(), json!("é"))]);
}

#[rstest]
#[case::plus_and_percent("a=1+2%2B3", json!({"a": "1 2+3"}))]
#[case::bad_escapes("name=%zz%&email=%4&%=%", json!({"name": "%zz%", "email": "%4", "%": "%"}))]
#[case::no_value("a&b=", json!({"a": "", "b": ""}))]
#[case::invalid_utf_8("a=%E9", json!({"a": "\u{fffd}"}))]
#[case::nested("form_fields[email]=e&form_fields[name]=n", json!({"form_fields": {"email": "e", "name": "n"}}))]
#[case::deeper("a[b][c]=2&a[b][d]=3", json!({"a": {"b": {"c": "2", "d": "3"}}}))]
#[case::lists("a[]=1&a[]=2&b[][x]=3", json!({"a": ["1", "2"], "b": [{"x": "3"}]}))]
#[case::clash("a[b]=1&a[b]=2&a[b][c]=3&a[]=4", json!({"a": {"b": "1", "1": "4"}, "a[b]": "2", "a[b][c]": "3"}))]
#[case::odd_names("a.b.c=1&[x]=5&=6&a[=7&a]=8&a[b]c=9", json!({"a.b.c": "1", "[x]": "5", "": "6", "a[": "7", "a]": "8", "a[b]c": "9"}))]
#[case::proto("__proto__[x]=1", json!({"__proto__": {"x": "1"}}))]
fn urlencoded_names_and_values_are_read(#[case] body: &str, #[case] expected: Value) {
    assert_eq!(object(fields(FORM, body)), expected);
}

#[test]
fn a_form_in_latin_1_is_read_in_latin_1() {
    let read = fields(Some("application/x-www-form-urlencoded; charset=iso-8859-1"), "name=Andr%E9+M%FCller+%80");

    assert_eq!(read, [("name".to_owned(), json!("André Müller €"))]);
}

#[test]
fn brackets_nested_too_deep_stay_text() {
    let name = format!("a{}", "[b]".repeat(300));

    assert_eq!(fields(FORM, format!("{name}=1")), [(name, json!("1"))]);
}

#[test]
fn repeated_names_of_a_form_stay_repeated() {
    assert_eq!(fields(FORM, "a=1&b=2&a=3").len(), 3);
    assert_eq!(refusal(FORM, "f=1&".repeat(10_000)), Code::TooManyFields);
}

/// Name, file name and content of a part.
type ExpectedPart = (String, Option<String>, Vec<u8>);

/// What a case of the multipart set expects: parts, or an error.
fn expected_parts(yaml: &str) -> Option<Vec<ExpectedPart>> {
    if yaml.contains("error:") {
        return None;
    }
    let value = |block: &str, key: &str| {
        let line = block.lines().find_map(|line| line.trim().strip_prefix(key).map(str::trim).map(str::to_owned));
        line.map(|text| text.trim_matches(['"', '\'']).to_owned())
    };
    let blocks = yaml.split("- name:").skip(1).map(|block| {
        let data: String = block.split("!!binary |").nth(1).expect("data").split_whitespace().collect();
        let name = block.lines().next().expect("a name").trim().to_owned();
        (name, value(block, "file_name:"), STANDARD.decode(data).expect("base64"))
    });
    Some(blocks.collect())
}

#[test]
fn multipart_cases_come_out_byte_identical() {
    for file in files("multipart/cases", "http") {
        let body = fs::read(&file).expect("the body can be read");
        let yaml = fs::read_to_string(file.with_extension("yaml")).expect("the expectation can be read");
        let boundary = yaml.lines().find_map(|line| line.strip_prefix("boundary: ")).expect("a boundary").trim();
        // This one names the whole delimiter as its boundary.
        let boundary = if name_of(&file) == "single_field_blocks" { "boundary" } else { boundary };

        let parts = multipart::parts(&body, boundary).ok().map(|parts| {
            parts.iter().map(|part| (part.name.clone(), part.file_name.clone(), part.data())).collect::<Vec<_>>()
        });

        // A body whose first line is not the boundary but which ends with it has only a preamble: no parts.
        let expected = if name_of(&file) == "bad_initial_boundary" { Some(vec![]) } else { expected_parts(&yaml) };
        assert_eq!(parts, expected, "{}", name_of(&file));
    }
}

#[test]
fn multipart_bodies_of_real_browsers_come_out_byte_identical() {
    for folder in fs::read_dir(shared("multipart/browsers")).expect("the folder can be read") {
        let folder = folder.expect("an entry").path();
        let file = |name: &str| fs::read(folder.join(name)).expect("the file can be read");
        let body = file("request.http");
        let first_line = body.split(|byte| *byte == b'\r').next().expect("a line");
        let boundary = std::str::from_utf8(&first_line[2..]).expect("text");

        let parts = multipart::parts(&body, boundary).expect("a browser's body is fine");
        let data = |name: &str| parts.iter().find(|part| part.name == name).expect("a part").data();

        assert_eq!(data("file1"), file("file1.png"), "{}", folder.display());
        assert_eq!(data("file2"), file("file2.png"), "{}", folder.display());
        // The text files were stored with other line breaks than the browsers sent.
        let lines =
            |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").replace("\r\n", "\n").trim_end().to_owned();
        assert_eq!(lines(data("text")), lines(file("text.txt")), "{}", folder.display());
    }
}

fn multipart_body(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (headers, content) in parts {
        body.extend([b"--XBX\r\n", headers.as_bytes(), b"\r\n\r\n", content, b"\r\n"].concat());
    }
    body.extend(b"--XBX--\r\n");
    body
}

const MULTIPART: Option<&str> = Some("multipart/form-data; boundary=XBX");

#[rstest]
#[case("../../../../etc/passwd", "passwd")]
#[case("C:\\dir\\x.exe", "x.exe")]
#[case("a%22b.png", "a\"b.png")]
#[case("", "")]
#[case("plain.svg", "plain.svg")]
fn of_a_file_only_the_name_is_kept(#[case] sent: &str, #[case] kept: &str) {
    let headers =
        format!("Content-Disposition: form-data; name=\"cv\"; filename=\"{sent}\"\r\nContent-Type: image/png");
    let body = multipart_body(&[(&headers, b"\x89PNG\r\n--XB")]);

    assert_eq!(fields(MULTIPART, body), [("cv".to_owned(), json!(kept))]);
}

#[test]
fn multipart_text_is_read_in_its_charset() {
    let body = multipart_body(&[
        ("Content-Disposition: form-data; name=\"a\"", "é".as_bytes()),
        ("Content-Disposition: form-data; name=\"b\"\r\nContent-Type: text/plain; charset=iso-8859-1", b"\xe9"),
        ("content-disposition: form-data; name=\"c[d]\"", b""),
    ]);

    assert_eq!(object(fields(MULTIPART, body)), json!({"a": "é", "b": "é", "c": {"d": ""}}));
}

#[rstest]
#[case::cut(b"--XBX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n", Code::UnreadableBody)]
#[case::cut_in_a_header(b"--XBX\r\nContent-Disposition: form-da", Code::UnreadableBody)]
#[case::wrong_boundary(
    b"--OTHER\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--OTHER--",
    Code::UnreadableBody
)]
#[case::giant_header(&multipart_body(&[(&format!("Content-Disposition: form-data; name=\"a\"\r\nX: {}", "h".repeat(200_000)), b"1")]), Code::UnreadableBody)]
#[case::no_name(&multipart_body(&[("Content-Type: text/plain", b"1")]), Code::UnreadableBody)]
#[case::too_many_parts(&multipart_body(&vec![("Content-Disposition: form-data; name=\"a\"", &b"1"[..]); 201]), Code::TooManyFields)]
fn a_broken_multipart_body_is_refused(#[case] body: &[u8], #[case] code: Code) {
    assert_eq!(refusal(MULTIPART, body), code);
}

#[test]
fn a_multipart_body_full_of_look_alikes_is_read_in_linear_time() {
    let content = b"\r\n--XB\r\n--XBX-\r\n--XBXX".repeat(40_000);
    let body = multipart_body(&[("Content-Disposition: form-data; name=\"a\"", &content)]);

    assert_eq!(fields(MULTIPART, body)[0].1.as_str().map(str::len), Some(content.len()));
}

fn request(headers: &[(&'static str, &str)], body: Body) -> Request {
    let mut request = Request::new(body);
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header value"));
    }
    request
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_before_it_is_read() {
    let never = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());

    let error = read(request(&[("content-length", "1048577")], never)).await.expect_err("too large");

    assert_eq!(error.code(), Code::BodyTooLarge);
}

#[tokio::test]
async fn a_body_that_grows_over_the_limit_is_refused() {
    let chunks = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from(vec![0; 65_536])));

    let error = read(request(&[], Body::from_stream(chunks))).await.expect_err("too large");

    assert_eq!(error.code(), Code::BodyTooLarge);
}

#[tokio::test]
async fn a_body_at_the_limit_is_read() {
    let read = read(request(&[], Body::from(vec![b'x'; MAX_BODY_BYTES]))).await.expect("at the limit");

    assert_eq!(read.bytes.len(), MAX_BODY_BYTES);
}

#[tokio::test]
async fn a_compressed_body_is_refused() {
    for encoding in ["gzip", "deflate", "gzip, gzip", "br"] {
        let error = read(request(&[("content-encoding", encoding)], Body::empty())).await.expect_err("compressed");

        assert_eq!(error.code(), Code::UnsupportedMediaType);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let never = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());

    let error = read(request(&[], never)).await.expect_err("too slow");

    assert_eq!(error.code(), Code::RequestTimeout);
}
