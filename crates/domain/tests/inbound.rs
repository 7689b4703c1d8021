//! What other products send, unpacked and recognised: every provider's sample, and what repeats and updates are.

#![recursion_limit = "256"]

use leadline_domain::{
    fields::{FieldMapping, RawFields, Recognised, recognise},
    inbound::{Contents, Format, Unpacked, unpack},
};
use rstest::rstest;
use serde_json::{Map, Value, json};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/webhooks_in");

/// `form[id]` becomes `id` inside `form`, as the body's reader has it.
fn nested(body: &Map<String, Value>) -> RawFields {
    let mut fields = Map::new();
    for (name, value) in body {
        let mut place = &mut fields;
        let path: Vec<&str> = name.split(['[', ']']).filter(|step| !step.is_empty()).collect();
        let (last, parents) = path.split_last().expect("a name");
        for step in parents {
            let inner = place.entry(*step).or_insert_with(|| json!({}));
            place = inner.as_object_mut().expect("an object");
        }
        place.insert((*last).to_owned(), value.clone());
    }
    fields.into_iter().collect()
}

fn items_of(body: &Value) -> Vec<RawFields> {
    match body {
        Value::Array(list) => list.iter().flat_map(items_of).collect(),
        Value::Object(object) => vec![nested(object)],
        other => panic!("not an object: {other}"),
    }
}

fn unpacked(body: &Value) -> Contents {
    unpack(None, &items_of(body))
}

fn one(body: &Value) -> (Unpacked, Recognised) {
    let contents = unpacked(body);
    assert_eq!((contents.leads.len(), contents.notices.len()), (1, 0), "{contents:?}");
    let lead = contents.leads.into_iter().next().expect("one lead");
    let read = recognise(&lead.fields, &FieldMapping::default());
    (lead, read)
}

fn sample(provider: &str, description: &str) -> Value {
    let file = format!("{CASES}/{provider}.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!("the outside test material is missing: ../shared/cases/webhooks_in/{provider}.json ({error})")
    });
    let samples: Value = serde_json::from_str(&text).expect("the file is JSON");
    let requests = samples["requests"].as_array().expect("requests").clone();
    let found = requests.into_iter().find(|request| request["desc"].as_str() == Some(description));
    found.unwrap_or_else(|| panic!("{provider} has no sample {description:?}"))["body"].take()
}

/// The custom fields by the names under which people see them.
fn shown(read: &Recognised) -> Value {
    let Some(labels) = read.custom.get("_displayNames").and_then(Value::as_object) else { return json!({}) };
    labels.iter().map(|(key, label)| (label.as_str().expect("a label").to_owned(), read.custom[key].clone())).collect()
}

#[rstest]
#[case::elementor_simple("elementor", "simple body", Format::Elementor,
    [Some("Ada Example"), Some("ada@example.com"), Some("0151 23456789"), None], json!({"form": "Kontakt"}))]
#[case::elementor_advanced("elementor", "advanced data body", Format::Elementor,
    [Some("Ada Example"), Some("ada@example.com"), None, None], json!({"form": "Kontakt"}))]
#[case::facebook_detail("facebook_lead_ads", "lead detail as relayed by Zapier/Make", Format::Facebook,
    [Some("Ada Example"), Some("ada@example.com"), Some("+4915112345678"), None],
    json!({"which_plan?": "pro, basic", "form_id": "456456456", "ad_id": "777", "is_organic": false, "platform": "fb",
           "utm_source": "facebook", "utm_medium": "paid", "utm_content": "Ad A"}))]
#[case::hubspot("hubspot", "batch of three events", Format::HubSpot,
    [None, Some("ada@example.com"), None, None], json!({}))]
#[case::jotform("jotform", "multipart/form-data with rawRequest JSON text", Format::Jotform,
    [Some("Bart Simpson"), Some("bart@example.com"), Some("(415) 555-0111"), None],
    json!({"18Is": "None of the above", "form": "Contact", "form_id": "31751954731962"}))]
#[case::typeform("typeform", "all answer types", Format::Typeform,
    [Some("Ada Example"), Some("ada@example.com"), Some("+4915112345678"), None],
    json!({"Plan": "Pro, Team, more", "terms": true, "nps": 7, "start": "2026-03-01",
           "cv": "https://api.typeform.com/x.pdf", "utm_source": "newsletter", "user_id": "42", "score": 9,
           "form": "Contact"}))]
#[case::typeform_empty("typeform", "no answers at all", Format::Typeform, [None; 4], json!({}))]
#[case::webflow("webflow", "form_submission v2; phone as a NUMBER", Format::Webflow,
    [Some("Zaphod Beeblebrox"), Some("zaphod@heartofgold.ai"), Some("15550000000"), None],
    json!({"form": "Contact Us"}))]
#[case::webflow_legacy("webflow", "legacy v1", Format::Webflow,
    [None, Some("hello@example.com"), None, None], json!({"field_one": "mock valued", "form": "Sample Form"}))]
#[case::underscores("zapier_make_generic", "flat with double underscores", Format::Generic,
    [Some("Ada Example"), Some("ada@example.com"), None, None],
    json!({"contact__email": "ada@example.com", "contact__first_name": "Ada", "contact__last_name": "Example",
           "tags": "hot, referral"}))]
#[case::wrapped("zapier_make_generic", "wrapped in data", Format::Generic,
    [None, Some("ada@example.com"), Some("0151 23456789"), None],
    json!({"data.lead.e-mail": "ada@example.com", "data.lead.tel": "0151 23456789"}))]
#[case::zeros("zapier_make_generic", "empty strings and zeros", Format::Generic,
    [None, None, Some("0"), None], json!({"budget": 0, "ok": false}))]
fn every_sample_says_who_it_is_about(
    #[case] provider: &str,
    #[case] description: &str,
    #[case] format: Format,
    #[case] person: [Option<&str>; 4],
    #[case] custom: Value,
) {
    let (lead, read) = one(&sample(provider, description));

    assert_eq!(lead.format, format);
    assert_eq!([&read.name, &read.email_raw, &read.phone_raw, &read.project].map(Option::as_deref), person);
    assert_eq!(shown(&read), custom);
}

#[test]
fn no_sample_is_left_out() {
    let mut seen = 0;
    for file in ["elementor", "facebook_lead_ads", "hubspot", "jotform", "typeform", "webflow", "zapier_make_generic"] {
        let text = std::fs::read_to_string(format!("{CASES}/{file}.json")).expect("the outside test material");
        let samples: Value = serde_json::from_str(&text).expect("the file is JSON");
        for request in samples["requests"].as_array().expect("requests") {
            let contents = unpacked(&request["body"]);
            let found = contents.leads.len() + contents.notices.len();
            seen += 1;
            // A repeat is unpacked like the first; the store knows it by its key.
            let is_repeat = request["desc"] == "same leadgen_id delivered again";
            let is_handshake = request["body"]["query"].is_string();
            if let Some(expected) = request["expect_leads"].as_u64().filter(|_| !is_repeat && !is_handshake) {
                assert_eq!(found as u64, expected, "{}", request["desc"]);
            }
        }
    }

    assert_eq!(seen, 17);
}

#[rstest]
#[case("one leadgen change", &["321321321"])]
#[case("same leadgen_id delivered again", &["321321321"])]
#[case("two changes in one entry, two entries (batch)", &["123123123123", "123123123124", "123123123125"])]
fn a_page_of_facebook_gives_notice_of_leads(#[case] description: &str, #[case] leads: &[&str]) {
    let contents = unpacked(&sample("facebook_lead_ads", description));

    assert!(contents.leads.is_empty());
    let told: Vec<&str> = contents.notices.iter().map(|notice| notice.lead.as_str()).collect();
    assert_eq!(told, leads);
    let relayed = one(&sample("facebook_lead_ads", "lead detail as relayed by Zapier/Make")).0;
    assert_eq!(relayed.key.as_deref(), Some("facebook 321321321"));
}

#[rstest]
#[case::no_number(json!("321/../me"))]
#[case::a_path(json!("1?fields=x"))]
#[case::nothing(json!(""))]
#[case::too_long(json!("1".repeat(41)))]
#[case::a_list(json!([1]))]
fn what_is_no_id_of_a_lead_is_no_notice(#[case] id: Value) {
    let body = json!({"object": "page", "entry": [{"changes": [{"field": "leadgen", "value": {"leadgen_id": id}}]}]});

    assert_eq!(unpacked(&body), Contents::default());
}

#[test]
fn a_list_of_objects_is_a_lead_each() {
    let contents = unpacked(&sample("zapier_make_generic", "array of objects"));

    let emails = contents.leads.iter().map(|lead| recognise(&lead.fields, &FieldMapping::default()).email_raw);
    assert_eq!(emails.collect::<Vec<_>>(), [Some("a1@example.com".to_owned()), Some("a2@example.com".to_owned())]);
}

fn whatconverts(trigger: &str) -> Value {
    json!({
        "trigger": trigger, "lead_id": 4711, "user_id": "51497-a", "lead_type": "Chat", "lead_status": "Unique",
        "lead_analysis": {"Keyword Detection": "buy,quote", "Lead Summary": "Wants a quote.",
            "Intent Detection": "Purchase", "Sentiment Detection": "Positive", "Topic Detection": "roofs"},
        "last_updated": "2026-01-25T17:18:20Z", "date_created": "2026-01-25T14:09:01Z", "quotable": "Not Set",
        "quote_value": null, "sales_value": 120.5, "spotted_keywords": "buy,quote", "lead_score": 50,
        "lead_state": "In Progess", "profile": "Roofs North", "profile_id": 51497, "account": "Roofs",
        "account_id": 27313, "lead_url": "https://roofs.example/contact", "landing_url": "https://roofs.example/",
        "operating_system": "iOS 12", "browser": "Chrome Mobile 71", "device_type": "Smartphone",
        "additional_fields": {"full_name": "J. Doe", "email_address": "office@roofs.example", "subject": "A roof",
            "message": "Hello, I need a roof"},
        "lead_source": "google", "lead_medium": "cpc", "lead_campaign": "spring", "lead_content": "new ad",
        "lead_keyword": "roof repair", "ip_address": "198.51.100.7", "notes": "Call after five",
        "contact_name": "Jane Doe", "contact_company_name": "Doe Ltd", "contact_email_address": "jane@doe.example",
        "contact_phone_number": "+17044695324", "email_address": "jane@doe.example", "phone_number": "+17044695324",
        "city": "Charlotte", "field_mappings": {"Company Name": "Doe Ltd", "Contact Person": "Jane Doe",
            "Email": "jane@doe.example", "Phone Number": "(704) 469-5324"},
        "gclid": "g-1", "msclkid": "m-1", "hubspot_visitor_id": "h-1", "facebook_browser_id": "fb.1.2.3",
        "facebook_click_id": "fb.1.2.x", "google_analytics_client_id": "10.15", "duplicate": false, "spam": false,
    })
}

#[test]
fn a_lead_of_whatconverts_keeps_its_analysis_and_where_it_came_from() {
    let (lead, read) = one(&whatconverts("new"));

    assert_eq!(lead.format, Format::WhatConverts);
    assert_eq!(read.name.as_deref(), Some("Jane Doe"));
    assert_eq!(read.email_raw.as_deref(), Some("jane@doe.example"));
    assert_eq!(read.phone_raw.as_deref(), Some("+17044695324"));
    assert_eq!(read.company.as_deref(), Some("Doe Ltd"));
    assert_eq!(read.message.as_deref(), Some("Hello, I need a roof"));
    assert_eq!(read.project.as_deref(), Some("Roofs North"));
    assert_eq!(read.page_url.as_deref(), Some("https://roofs.example/contact"));
    let touch = &read.touch;
    let origin = [&touch.utm_source, &touch.utm_medium, &touch.utm_campaign, &touch.utm_content, &touch.utm_term];
    let origin: Vec<&str> = origin.into_iter().flatten().map(String::as_str).collect();
    assert_eq!(origin, ["google", "cpc", "spring", "new ad", "roof repair"]);
    let clicks: Vec<(&str, &str)> = touch.click_ids.iter().map(|(name, id)| (name.as_str(), id.as_str())).collect();
    assert_eq!(clicks, [("fbc", "fb.1.2.x"), ("fbp", "fb.1.2.3"), ("gclid", "g-1"), ("msclkid", "m-1")]);
    assert_eq!(
        json!(touch.program_ids),
        json!({"google_analytics_client_id": "10.15", "hubspot_visitor_id": "h-1"}),
        "other programs' ids stand with the touch and not among the fields of the lead"
    );
    let custom = shown(&read);
    assert!(custom.get("google_analytics_client_id").is_none() && custom.get("hubspot_visitor_id").is_none());
    for (label, value) in [
        ("lead_analysis.Lead Summary", json!("Wants a quote.")),
        ("lead_analysis.Sentiment Detection", json!("Positive")),
        ("lead_state", json!("In Progress")),
        ("lead_score", json!(50)),
        ("sales_value", json!(120.5)),
        ("profile_id", json!(51497)),
        ("account", json!("Roofs")),
        ("account_id", json!(27313)),
        ("agent_notes", json!("Call after five")),
        ("additional_fields.subject", json!("A roof")),
        ("field_mappings.Phone Number", json!("(704) 469-5324")),
        ("landing_url", json!("https://roofs.example/")),
        ("spam", json!(false)),
    ] {
        assert_eq!(custom[label], value, "{label}");
    }
    assert_eq!(lead.sent.into_iter().collect::<Map<_, _>>(), *whatconverts("new").as_object().expect("an object"));
}

#[test]
fn an_update_is_another_submission_of_the_same_record() {
    let (new, _) = one(&whatconverts("new"));
    let (update, _) = one(&whatconverts("update"));
    let mut later = whatconverts("update");
    later["quote_value"] = json!(900);
    let (later, _) = one(&later);

    assert_eq!((new.is_update, update.is_update), (false, true));
    assert_eq!((&new.record, &new.record), (&update.record, &later.record));
    assert_eq!(one(&whatconverts("new")).0.key, new.key);
    assert_eq!(one(&whatconverts("update")).0.key, update.key);
    assert_ne!(new.key, update.key);
    assert_ne!(update.key, later.key);
}

#[test]
fn a_google_lead_goes_without_the_key_that_proved_it() {
    let (lead, read) = one(&json!({
        "lead_id": "TeSter-123", "api_version": "1.0", "form_id": 40_000_000_000_u64, "campaign_id": 123_u64,
        "google_key": "hush", "is_test": true, "gcl_id": "G-1",
        "user_column_data": [
            {"column_name": "Full Name", "string_value": "Ada Example", "column_id": "FULL_NAME"},
            {"column_name": "User Email", "string_value": "ada@example.com", "column_id": "EMAIL"},
            {"column_name": "User Phone", "string_value": "+4915112345678", "column_id": "PHONE_NUMBER"},
            {"column_name": "Company", "string_value": "Example Ltd", "column_id": "COMPANY_NAME"},
            {"column_name": "Postal code", "string_value": "10115", "column_id": "POSTAL_CODE"},
            {"column_name": "Which plan?", "string_value": "Pro"},
        ],
    }));

    assert_eq!(lead.format, Format::Google);
    assert_eq!(lead.key.as_deref(), Some("google TeSter-123"));
    assert_eq!(read.name.as_deref(), Some("Ada Example"));
    assert_eq!(read.email_raw.as_deref(), Some("ada@example.com"));
    assert_eq!(read.phone_raw.as_deref(), Some("+4915112345678"));
    assert_eq!(read.company.as_deref(), Some("Example Ltd"));
    assert_eq!(read.touch.click_ids["gclid"], "G-1");
    assert_eq!(
        shown(&read),
        json!({"Postal code": "10115", "Which plan?": "Pro", "form_id": 40_000_000_000_u64, "campaign_id": 123,
               "is_test": true, "utm_source": "google", "utm_medium": "cpc"})
    );
    assert!(!format!("{lead:?}").contains("hush"));
}

#[test]
fn a_page_of_unbounce_is_unpacked() {
    let data = json!({"first_name": ["Ada"], "last_name": ["Example"], "email": ["ada@example.com"],
        "phone": ["+4915112345678"], "plan": ["Pro", "Team"], "ip_address": ["198.51.100.7"],
        "date_submitted": ["2026-01-25"], "time_submitted": ["05:18 PM UTC"], "page_uuid": ["p-1"], "variant": ["b"]});
    let body = json!({"page_id": "p-1", "page_name": "Spring", "page_url": "https://u.example/?utm_source=news",
        "variant": "b", "data.json": data.to_string(), "data.xml": "<form_data/>"});

    let (lead, read) = one(&body);

    assert_eq!(lead.format, Format::Unbounce);
    assert_eq!(one(&body).0.key, lead.key);
    assert!(lead.key.is_some());
    assert_eq!(read.name.as_deref(), Some("Ada Example"));
    assert_eq!(read.email_raw.as_deref(), Some("ada@example.com"));
    assert_eq!(read.phone_raw.as_deref(), Some("+4915112345678"));
    assert_eq!(read.touch.utm_source.as_deref(), Some("news"));
    assert_eq!(json!(read.touch.program_ids), json!({"unbounce_page_id": "p-1", "unbounce_variant_id": "b"}));
    assert_eq!(shown(&read), json!({"plan": "Pro, Team", "form": "Spring"}));
}

#[test]
fn a_form_of_tally_is_unpacked() {
    let (lead, read) = one(&json!({
        "eventId": "e-1", "eventType": "FORM_RESPONSE", "createdAt": "2026-01-25T17:18:20Z",
        "data": {"responseId": "r-1", "submissionId": "r-1", "formId": "f-1", "formName": "Roofs", "fields": [
            {"key": "question_1", "label": "Your name", "type": "INPUT_TEXT", "value": "Ada Example"},
            {"key": "question_2", "label": "Where do we write to?", "type": "INPUT_EMAIL", "value": "ada@example.com"},
            {"key": "question_3", "label": "Phone", "type": "INPUT_PHONE_NUMBER", "value": "+4915112345678"},
            {"key": "question_4", "label": "Roof", "type": "CHECKBOXES", "value": ["a", "b"],
                "options": [{"id": "a", "text": "Flat"}, {"id": "b", "text": "Green"}]},
            {"key": "question_4_a", "label": "Roof (Flat)", "type": "CHECKBOXES", "value": true},
            {"key": "question_5", "label": "Plan", "type": "FILE_UPLOAD", "value": [{"id": "x", "url": "https://f.example/x"}]},
            {"key": "question_6", "label": "utm_source", "type": "HIDDEN_FIELDS", "value": "news"},
            {"key": "question_7", "label": "Nothing", "type": "INPUT_TEXT", "value": null},
        ]},
    }));

    assert_eq!(lead.format, Format::Tally);
    assert_eq!(lead.key.as_deref(), Some("tally r-1"));
    assert_eq!(read.name.as_deref(), Some("Ada Example"));
    assert_eq!(read.email_raw.as_deref(), Some("ada@example.com"));
    assert_eq!(read.phone_raw.as_deref(), Some("+4915112345678"));
    assert_eq!(read.touch.utm_source.as_deref(), Some("news"));
    assert_eq!(
        shown(&read),
        json!({"Roof": "Flat, Green", "Plan": "https://f.example/x", "utm_source": "news", "form": "Roofs"})
    );
}

fn calendly(event: &str, status: &str) -> Value {
    json!({
        "event": event, "created_at": "2026-01-25T17:18:20Z", "created_by": "https://api.calendly.com/users/1",
        "payload": {
            "uri": "https://api.calendly.com/scheduled_events/1/invitees/2", "name": "Ada Example",
            "email": "ada@example.com", "text_reminder_number": "+4915112345678", "status": status,
            "timezone": "Europe/Berlin", "event": "https://api.calendly.com/scheduled_events/1",
            "questions_and_answers": [{"question": "Company", "answer": "Example Ltd", "position": 0},
                {"question": "What is it about?", "answer": "A roof", "position": 1}],
            "tracking": {"utm_campaign": "spring", "utm_source": null},
            "scheduled_event": {"name": "First call", "start_time": "2026-02-01T09:00:00Z",
                "event_memberships": [{"user_email": "agent@roofs.example", "user_name": "Agent"}]},
        },
    })
}

#[test]
fn a_booking_at_calendly_is_the_guests_and_its_cancellation_is_no_second_lead() {
    let (lead, read) = one(&calendly("invitee.created", "active"));
    let (cancelled, _) = one(&calendly("invitee.canceled", "canceled"));

    assert_eq!(lead.format, Format::Calendly);
    assert_eq!(read.name.as_deref(), Some("Ada Example"));
    assert_eq!(read.email_raw.as_deref(), Some("ada@example.com"));
    assert_eq!(read.phone_raw.as_deref(), Some("+4915112345678"));
    assert_eq!(read.company.as_deref(), Some("Example Ltd"));
    assert_eq!(read.touch.utm_campaign.as_deref(), Some("spring"));
    assert_eq!(
        shown(&read),
        json!({"What is it about?": "A roof", "utm_campaign": "spring", "Event": "First call",
               "Event start": "2026-02-01T09:00:00Z", "status": "active", "timezone": "Europe/Berlin"})
    );
    assert_eq!(lead.record, cancelled.record);
    assert_ne!(lead.key, cancelled.key);
    assert_eq!((lead.is_update, cancelled.is_update), (false, true));
}

#[test]
fn an_entry_of_gravity_forms_goes_by_numbers() {
    let (lead, read) = one(&json!({
        "id": "52", "form_id": "3", "date_created": "2026-01-25 17:18:20", "ip": "198.51.100.7",
        "source_url": "https://roofs.example/?utm_source=news", "user_agent": "Mozilla", "status": "active",
        "1.3": "Ada", "1.6": "Example", "2": "ada@example.com", "3": "(415) 555-0111", "4": "A flat roof",
        "5.1": "Main Street 1", "5.3": "Berlin", "5.5": "10115", "5.6": "Germany", "6": "2026-02-01", "7": "450000",
    }));

    assert_eq!(lead.format, Format::Gravity);
    assert_eq!(lead.key.as_deref(), Some("gravity 3 52"));
    assert_eq!(read.name.as_deref(), Some("Ada Example"));
    assert_eq!(read.email_raw.as_deref(), Some("ada@example.com"));
    assert_eq!(read.phone_raw.as_deref(), Some("(415) 555-0111"));
    assert_eq!(read.touch.utm_source.as_deref(), Some("news"));
    assert_eq!(
        shown(&read),
        json!({"Field 4": "A flat roof", "Field 5.1": "Main Street 1", "Field 5.3": "Berlin", "Field 5.5": "10115",
               "Field 5.6": "Germany", "Field 6": "2026-02-01", "Field 7": "450000", "form_id": "3"})
    );
}

#[test]
fn changes_of_one_contact_at_hubspot_are_one_submission() {
    let change = |event: u64, contact: u64, name: &str, value: &str| {
        json!({"eventId": event, "portalId": 7, "objectId": contact, "subscriptionType": "contact.propertyChange",
               "propertyName": name, "propertyValue": value, "attemptNumber": 0})
    };
    let all = json!([
        change(2, 1, "email", "ada@example.com"),
        change(1, 1, "firstname", "Ada"),
        change(3, 2, "email", "bob@example.com"),
        change(2, 1, "email", "ada@example.com"),
        {"eventId": 9, "portalId": 7, "objectId": 4, "subscriptionType": "deal.creation"},
        {"eventId": 8, "portalId": 7, "objectId": 5, "subscriptionType": "contact.creation"},
    ]);
    let other_order = json!([change(1, 1, "firstname", "Ada"), change(2, 1, "email", "ada@example.com")]);

    let contents = unpacked(&all);

    let people: Vec<(Option<String>, Option<String>)> = contents
        .leads
        .iter()
        .map(|lead| recognise(&lead.fields, &FieldMapping::default()))
        .map(|read| (read.name, read.email_raw))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(people, [(text("Ada"), text("ada@example.com")), (None, text("bob@example.com"))]);
    assert_eq!(unpacked(&other_order).leads[0].key, contents.leads[0].key);
}

#[test]
fn entities_of_jotform_are_read_as_they_were_typed() {
    let (_, read) = one(&json!({
        "formID": "1", "submissionID": "2",
        "rawRequest": json!({"q3_name": {"first": "O&#039;Neil", "last": "&quot;Bob&quot;"}, "q4_note": "a &lt; b &amp;lt;"})
            .to_string(),
    }));

    assert_eq!(read.name.as_deref(), Some("O'Neil \"Bob\""));
    assert_eq!(read.custom["note"], "a < b &lt;");
}

#[test]
fn a_strange_shape_under_a_chosen_format_is_read_as_it_stands() {
    let contents = unpack(Some(Format::Typeform), &items_of(&json!({"email": "ada@example.com"})));

    assert_eq!(contents.leads[0].format, Format::Generic);
    assert_eq!(contents.leads[0].fields, [("email".to_owned(), json!("ada@example.com"))]);
}

#[test]
fn a_chosen_format_is_not_overruled_by_looks() {
    let body = json!({"lead_id": 1, "trigger": "new", "email": "ada@example.com"});

    let contents = unpack(Some(Format::Generic), &items_of(&body));

    assert_eq!((contents.leads[0].format, &contents.leads[0].key), (Format::Generic, &None));
}

#[rstest]
#[case(json!({"form_response": 7, "user_column_data": {}, "field_data": "x", "data.json": "{", "rawRequest": "["}))]
#[case(json!({"form_response": {"answers": [1, {}, {"field": {}}]}}))]
#[case(json!({"user_column_data": [7, {"column_id": []}]}))]
#[case(json!({"eventType": "FORM_RESPONSE", "data": {"fields": [{"value": [{}], "options": 7}]}}))]
#[case(json!({"form": {"id": 1}, "fields": {"a": 7}}))]
#[case(json!({"event": "invitee.created", "payload": {"questions_and_answers": [7], "tracking": [], "scheduled_event": 1}}))]
#[case(json!({"triggerType": 1, "payload": {"data": []}}))]
#[case(json!({"lead_id": 1, "trigger": "new", "field_mappings": [], "additional_fields": 7, "lead_analysis": null}))]
#[case(json!({"object": "page", "entry": [7, {"changes": [7, {"field": "leadgen"}]}]}))]
fn a_broken_shape_is_never_the_end(#[case] body: Value) {
    for format in Format::ALL.map(Some).into_iter().chain([None]) {
        for lead in unpack(format, &items_of(&body)).leads {
            assert_eq!(recognise(&lead.fields, &FieldMapping::default()).honeypot, None);
        }
    }
}
