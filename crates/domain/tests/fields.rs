//! What the fields of a submission mean, by the documents' own examples and by what form builders send.

use std::collections::BTreeMap;

use leadline_domain::fields::{FieldMapping, RawFields, Recognised, camel_case, recognise};
use rstest::rstest;
use serde_json::{Map, Value, json};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases");

fn fields_of(object: Value) -> RawFields {
    match object {
        Value::Object(object) => object.into_iter().collect(),
        other => panic!("not an object: {other}"),
    }
}

fn read(object: Value) -> Recognised {
    recognise(&fields_of(object), &FieldMapping::default())
}

fn read_pairs(pairs: &[(&str, &str)]) -> Recognised {
    let fields: RawFields = pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    recognise(&fields, &FieldMapping::default())
}

fn mapping(pairs: &[(&str, &str)]) -> FieldMapping {
    FieldMapping(pairs.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect::<BTreeMap<_, _>>())
}

fn value(file: &str) -> Value {
    let text = std::fs::read_to_string(format!("{CASES}/{file}")).unwrap_or_else(|error| {
        panic!("the outside test material is missing: ../shared/cases/{file} beside the project ({error})")
    });
    serde_json::from_str(&text).expect("the file is JSON")
}

/// The labels of the custom fields by key.
fn labels(custom: &Map<String, Value>) -> &Map<String, Value> {
    custom["_displayNames"].as_object().expect("_displayNames is an object")
}

#[test]
fn the_inbound_webhook_of_the_documents_is_read_as_they_say() {
    let read = read(json!({
        "name": "John Smith", "email": "john@example.com", "phone": "+15551234567", "company": "Acme Corp",
        "job_title": "CEO", "utm_source": "google", "utm_campaign": "spring", "form_page": "/pricing", "budget": 5000,
    }));

    assert_eq!(read.name.as_deref(), Some("John Smith"));
    assert_eq!(read.email_raw.as_deref(), Some("john@example.com"));
    assert_eq!(read.phone_raw.as_deref(), Some("+15551234567"));
    assert_eq!(read.company.as_deref(), Some("Acme Corp"));
    assert_eq!(read.title, None);
    assert_eq!(read.touch.utm_source.as_deref(), Some("google"));
    assert_eq!(
        Value::Object(read.custom),
        json!({
            "jobTitle": "CEO", "utmSource": "google", "utmCampaign": "spring", "formPage": "/pricing", "budget": 5000,
            "_displayNames": {
                "jobTitle": "job_title", "utmSource": "utm_source", "utmCampaign": "utm_campaign",
                "formPage": "form_page", "budget": "budget",
            },
        })
    );
}

#[test]
fn a_mapping_routes_a_field_and_takes_it_out_of_the_custom_fields() {
    let fields = fields_of(json!({"Job-Title": "CEO", "title": "Dr", "person": {"contact": "a@b.example"}, "size": 3}));

    let read = recognise(
        &fields,
        &mapping(&[("job_title", "title"), ("person.contact", "email"), ("size", "Company Size"), ("title", "")]),
    );

    assert_eq!(read.title.as_deref(), Some("CEO"));
    assert_eq!(read.email_raw.as_deref(), Some("a@b.example"));
    assert_eq!(
        Value::Object(read.custom),
        json!({"companySize": 3, "title": "Dr", "_displayNames": {"companySize": "Company Size", "title": "title"}})
    );
}

#[test]
fn nested_fields_keep_their_dots_in_the_display_name() {
    let read = read(json!({"contact": {"first_name": "Ada", "last_name": "Example"}, "metadata": {"source": "expo"}}));

    assert_eq!(read.name.as_deref(), Some("Ada Example"));
    assert_eq!(
        Value::Object(read.custom),
        json!({
            "contactFirstName": "Ada", "contactLastName": "Example", "metadataSource": "expo",
            "_displayNames": {
                "contactFirstName": "contact.first_name", "contactLastName": "contact.last_name",
                "metadataSource": "metadata.source",
            },
        })
    );
}

#[rstest]
#[case::nested("contact.email")]
#[case::brackets("form_fields[email]")]
#[case::elementor("fields[email][value]")]
#[case::underscores("contact__email")]
#[case::any_parent("a.b.e-mail")]
#[case::numbered("Email 2")]
#[case::prefixed("work_email")]
#[case::hinted("Ihre E-Mail-Adresse *")]
#[case::question("q4_email")]
fn no_spelling_loses_the_address(#[case] name: &str) {
    let read = read_pairs(&[(name, "ada@example.com")]);

    assert_eq!(read.email_raw.as_deref(), Some("ada@example.com"));
}

#[rstest]
#[case("friend_email")]
#[case("manager.email")]
#[case("email_opt_in_text")]
fn an_address_of_somebody_else_is_not_the_leads(#[case] name: &str) {
    let other = if name.starts_with("email") { "yes" } else { "bob@example.com" };

    let read = read_pairs(&[("name", "Ada"), (name, other)]);

    assert_eq!(read.email_raw, None);
}

#[rstest]
#[case("Phone")]
#[case("phone_mobile")]
#[case("Your-Phone")]
#[case("TEL")]
#[case("whatsApp")]
#[case("user.phone")]
#[case("Preferred phone (daytime)")]
fn no_spelling_loses_the_number(#[case] name: &str) {
    assert_eq!(read_pairs(&[(name, "0151 23456789")]).phone_raw.as_deref(), Some("0151 23456789"));
}

#[rstest]
#[case(&[("name", "Ada Example")], Some("Ada Example"))]
#[case(&[("First Name", "Ada"), ("LAST_NAME", "Example")], Some("Ada Example"))]
#[case(&[("lname", "Example"), ("fname", "Ada")], Some("Ada Example"))]
#[case(&[("first_name", "Ada")], Some("Ada"))]
#[case(&[("surname", "Example")], Some("Example"))]
#[case(&[("name", "Ada"), ("surname", "Example")], Some("Ada Example"))]
#[case(&[("name", "Ada Example"), ("surname", "Example")], Some("Ada Example"))]
#[case(&[("full_name", "Ada Example"), ("first_name", "Ada"), ("last_name", "Example")], Some("Ada Example"))]
#[case(&[("name", " "), ("your-name", "Ada")], Some("Ada"))]
#[case(&[("name", "Ada\r\nBcc: x\u{0}")], Some("Ada Bcc: x"))]
#[case(&[("name.first", "Ada"), ("name.last", "Example")], Some("Ada Example"))]
#[case(&[("form.name", "Contact Us")], None)]
#[case(&[("lead.name", "Ada")], Some("Ada"))]
fn names_are_put_together(#[case] pairs: &[(&str, &str)], #[case] expected: Option<&str>) {
    assert_eq!(read_pairs(pairs).name.as_deref(), expected);
}

#[test]
fn every_field_of_the_contract_has_its_place() {
    let read = read(json!({
        "Country Code": "+49", "Project": "North", "user-location": "Berlin", "source_team": "Blue", "Title": "CTO",
        "YourMessage": "Hello\nthere", "cta-name": "Call me", "pageUrl": "https://example.com/?gclid=g&utm_medium=cpc",
        "referer": "https://search.example", "utm-source": "news", "_fbp": "fb.1",
    }));

    assert_eq!(read.country_code.as_deref(), Some("+49"));
    assert_eq!(read.project.as_deref(), Some("North"));
    assert_eq!(read.location.as_deref(), Some("Berlin"));
    assert_eq!(read.team.as_deref(), Some("Blue"));
    assert_eq!(read.title.as_deref(), Some("CTO"));
    assert_eq!(read.message.as_deref(), Some("Hello\nthere"));
    assert_eq!(read.cta.as_deref(), Some("Call me"));
    assert_eq!(read.page_url.as_deref(), Some("https://example.com/?gclid=g&utm_medium=cpc"));
    assert_eq!(read.referrer.as_deref(), Some("https://search.example"));
    assert_eq!(read.touch.page_url, read.page_url);
    assert_eq!(read.touch.referrer, read.referrer);
    assert_eq!(read.touch.utm_source.as_deref(), Some("news"));
    assert_eq!(read.touch.utm_medium.as_deref(), Some("cpc"));
    assert_eq!(read.touch.click_ids.keys().collect::<Vec<_>>(), ["fbp", "gclid"]);
    let keys: Vec<&String> = labels(&read.custom).keys().collect();
    assert_eq!(keys, ["sourceTeam", "userLocation", "utmSource"]);
}

#[test]
fn reserved_fields_are_no_custom_fields() {
    let read = read(json!({
        "__pg_hp": "x", "__pg_tts": "4200.4", "__visitor_id": "v-1", "__session_id": 7, "submissionId": "s-1",
    }));

    assert_eq!(read.honeypot.as_deref(), Some("x"));
    assert_eq!(read.time_to_submit_ms, Some(4_200));
    assert_eq!(read.visitor_id.as_deref(), Some("v-1"));
    assert_eq!(read.session_id.as_deref(), Some("7"));
    assert_eq!(read.submission_key.as_deref(), Some("s-1"));
    assert!(read.custom.is_empty());
    assert_eq!(read.as_sent.len(), 5);
}

#[rstest]
#[case("__pg_hp", json!("  "))]
#[case("__pg_tts", json!("soon"))]
#[case("__pg_tts", json!(-4))]
#[case("__pg_tts", json!("NaN"))]
#[case("visitor_id", json!("from elsewhere"))]
fn what_is_not_meant_as_a_signal_is_none(#[case] name: &str, #[case] value: Value) {
    let read = read(json!({ name: value }));

    assert_eq!((read.honeypot, read.time_to_submit_ms, read.visitor_id), (None, None, None));
}

#[test]
fn empty_values_are_kept_only_as_sent_and_zero_and_false_are_values() {
    let read = read(json!({"name": "", "email": " ", "phone": "0", "company": null, "budget": 0, "ok": false}));

    assert_eq!((read.name, read.email_raw, read.company), (None, None, None));
    assert_eq!(read.phone_raw.as_deref(), Some("0"));
    assert_eq!(read.custom["budget"], json!(0));
    assert_eq!(read.custom["ok"], json!(false));
    assert_eq!(read.as_sent.len(), 6);
}

#[test]
fn repeated_names_fill_one_field_and_are_all_kept() {
    let read = read_pairs(&[
        ("email", ""),
        ("email", "a@example.com"),
        ("email", "b@example.com"),
        ("interests[]", "a"),
        ("interests[]", "b"),
    ]);

    assert_eq!(read.email_raw.as_deref(), Some("a@example.com"));
    assert_eq!(read.custom["interests"], json!("a, b"));
    assert_eq!(read.as_sent["email"], json!(["", "a@example.com", "b@example.com"]));
    assert_eq!(read.as_sent["interests[]"], json!(["a", "b"]));
}

#[test]
fn a_field_that_lost_its_place_stays_a_custom_field_unless_it_says_the_same() {
    let read = read_pairs(&[
        ("phone", "1"),
        ("mobile", "2"),
        ("cell", "1"),
        ("tel", "3"),
        ("email2", "b@x.example"),
        ("email", "a@x.example"),
    ]);

    assert_eq!(read.phone_raw.as_deref(), Some("1"));
    assert_eq!(read.email_raw.as_deref(), Some("a@x.example"));
    assert_eq!(labels(&read.custom).keys().collect::<Vec<_>>(), ["email2", "mobile", "tel"]);
}

#[test]
fn names_that_make_one_key_are_told_apart() {
    let read = read_pairs(&[("Roof type", "a"), ("roof_type", "b"), ("roofType", "c")]);

    assert_eq!(
        (&read.custom["roofType"], &read.custom["roofType2"], &read.custom["roofType3"]),
        (&json!("a"), &json!("b"), &json!("c"))
    );
    assert_eq!(labels(&read.custom)["roofType2"], json!("roof_type"));
}

#[test]
fn names_with_a_meaning_in_javascript_are_harmless() {
    let read = read_pairs(&[("__proto__", "a"), ("_displayNames", "b"), ("constructor", "c"), ("", "d"), ("🙂", "e")]);

    let keys: Vec<&String> = labels(&read.custom).keys().collect();
    assert_eq!(keys, ["constructorField", "displayNames", "field", "field2", "proto"]);
    assert_eq!(read.custom["displayNames"], json!("b"));
}

#[test]
fn sizes_are_limited_and_nothing_is_cut_as_sent() {
    let long = "ä".repeat(30_000);
    let mut fields: RawFields = (0..300).map(|number| (format!("field {number}"), json!("x"))).collect();
    fields.insert(0, ("n".repeat(300), json!(long)));
    fields.push(("message".to_owned(), json!(long)));
    fields.push(("name".to_owned(), json!(long)));

    let read = recognise(&fields, &FieldMapping::default());

    assert_eq!(read.custom.len(), 201);
    assert_eq!(read.custom[&"n".repeat(100)].as_str().map(|text| text.chars().count()), Some(10_000));
    assert_eq!(read.message.map(|text| text.chars().count()), Some(20_000));
    assert_eq!(read.name.map(|text| text.chars().count()), Some(200));
    assert_eq!(read.as_sent["message"], json!(long));
    assert_eq!(read.as_sent.len(), 303);
}

#[test]
fn deep_nesting_ends_as_text() {
    let deep = (0..100).fold(json!({"email": "ada@example.com"}), |inner, _| json!({ "a": inner }));

    let read = read(json!({ "outer": deep, "name": "Ada" }));

    assert_eq!(read.name.as_deref(), Some("Ada"));
    assert_eq!(read.custom.len(), 2);
    assert!(read.custom.values().any(|value| value.as_str().is_some_and(|text| text.contains("ada@example.com"))));
}

#[test]
fn a_second_reading_fills_places_and_makes_no_custom_fields() {
    let read = read(json!({
        "field_data": [{"name": "full_name", "values": ["Ada Example"]}, {"name": "shoe size", "values": ["39"]}],
        "rawRequest": "{\"q4_email\":\"ada@example.com\"}",
    }));

    assert_eq!(read.name.as_deref(), Some("Ada Example"));
    assert_eq!(read.email_raw.as_deref(), Some("ada@example.com"));
    let names: Vec<&str> = labels(&read.custom).values().filter_map(Value::as_str).collect();
    assert_eq!(
        names,
        ["field_data.0.name", "field_data.0.values", "field_data.1.name", "field_data.1.values", "rawRequest"]
    );
}

#[test]
fn numbers_are_read_as_the_visitor_wrote_them() {
    let read = read(json!({"phone": 15_550_000_000_u64, "name": 7.0, "zip": 1.5}));

    assert_eq!(read.phone_raw.as_deref(), Some("15550000000"));
    assert_eq!(read.name.as_deref(), Some("7"));
    assert_eq!(read.custom["zip"], json!(1.5));
}

#[rstest]
#[case("Annual Revenue", "annualRevenue")]
#[case("annual_revenue", "annualRevenue")]
#[case("annualRevenue", "annualRevenue")]
#[case("ANNUAL REVENUE", "annualRevenue")]
#[case("contact.first_name", "contactFirstName")]
#[case("fields[roof][value]", "fieldsRoofValue")]
#[case("HTMLParser", "htmlParser")]
#[case("E-Mail", "eMail")]
#[case("Größe der Firma", "größeDerFirma")]
#[case("予算", "予算")]
#[case("18 Is", "18Is")]
#[case("", "field")]
#[case("---", "field")]
fn keys_are_camel_case(#[case] name: &str, #[case] expected: &str) {
    assert_eq!(camel_case(name), expected);
    assert_eq!(camel_case(&camel_case(name)), expected);
}

#[test]
fn naughty_strings_survive_wherever_they_stand() {
    let strings = value("strings/blns.json");
    for text in strings.as_array().expect("blns.json is a list").iter().filter_map(Value::as_str) {
        let fields = vec![
            ("message".to_owned(), json!(text)),
            ("company".to_owned(), json!(text)),
            ("note to self".to_owned(), json!(text)),
            (text.to_owned(), json!("the name")),
        ];

        let read = recognise(&fields, &FieldMapping::default());

        let kept = text.replace('\0', "").trim().to_owned();
        let expected = Some(kept.clone()).filter(|kept| !kept.is_empty());
        assert_eq!(read.message, expected);
        assert_eq!(read.company, expected);
        assert_eq!(read.custom.get("noteToSelf").and_then(Value::as_str).map(str::to_owned), expected);
        assert_eq!(read.as_sent["message"], json!(text.replace('\0', "")));
    }
}

#[rstest]
#[case("elementor")]
#[case("facebook_lead_ads")]
#[case("hubspot")]
#[case("jotform")]
#[case("typeform")]
#[case("webflow")]
#[case("zapier_make_generic")]
fn what_form_builders_send_is_read_without_configuration(#[case] provider: &str) {
    let requests = value(&format!("webhooks_in/{provider}.json"));
    for request in requests["requests"].as_array().expect("a provider has requests") {
        let (Value::Object(body), Value::Object(expected)) = (&request["body"], &request["expect_lead"]) else {
            continue;
        };

        let read = read(Value::Object(body.clone()));

        let description = &request["desc"];
        for (field, actual) in [("name", &read.name), ("email", &read.email_raw), ("phone", &read.phone_raw)] {
            if let Some(expected) = expected.get(field) {
                assert_eq!(actual.as_deref(), expected.as_str(), "{field} of {provider}, {description}");
            }
        }
    }
}
