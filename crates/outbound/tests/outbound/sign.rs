//! Signatures against an independent implementation's answers.

use leadline_outbound::{
    Secret, SecretRefused, VerifyError, delivery_headers, sign_plain, sign_standard, verify_standard,
};
use rstest::rstest;
use serde::Deserialize;

use crate::cases;

#[derive(Deserialize)]
struct Case {
    secret: String,
    id: String,
    timestamp: i64,
    body: String,
    signature: String,
    sha256_hex: String,
}

impl Case {
    fn all() -> Vec<Self> {
        cases::read("signatures/standard_webhooks.json")
    }

    fn secret(&self) -> Secret {
        Secret::parse(&self.secret).unwrap()
    }

    fn verify(&self, signatures: &str, now_s: i64) -> Result<(), VerifyError> {
        let timestamp = self.timestamp.to_string();
        verify_standard(&[self.secret()], &self.id, &timestamp, signatures, self.body.as_bytes(), now_s)
    }
}

#[test]
fn outgoing_signatures_equal_those_of_other_implementations() {
    for case in Case::all() {
        let secret = case.secret();

        assert_eq!(sign_standard(&secret, &case.id, case.timestamp, case.body.as_bytes()), case.signature);
        assert_eq!(sign_plain(&secret, case.body.as_bytes()), case.sha256_hex);
        assert_eq!(secret.reveal(), case.secret);
    }
}

#[test]
fn a_signature_is_accepted_until_five_minutes_off_and_refused_after() {
    for case in Case::all() {
        for offset_s in [-300, 0, 300] {
            assert_eq!(case.verify(&case.signature, case.timestamp + offset_s), Ok(()));
        }
        for offset_s in [-301, 301] {
            let refused = case.verify(&case.signature, case.timestamp + offset_s);
            assert_eq!(refused, Err(VerifyError::Timestamp));
        }
    }
}

#[test]
fn a_damaged_signature_is_refused() {
    for case in Case::all() {
        let encoded = case.signature.strip_prefix("v1,").unwrap();
        let flipped = if encoded.starts_with('A') { "B" } else { "A" };
        let damaged = [
            String::new(),
            "v1,".to_owned(),
            encoded.to_owned(),
            format!("v1a,{encoded}"),
            format!("v2,{encoded}"),
            format!("v1,{}", &encoded[..4]),
            format!("v1,{}", &encoded[..40]),
            format!("v1,{flipped}{}", &encoded[1..]),
            format!("{}AAAA", case.signature),
        ];

        for signatures in damaged {
            let refused = case.verify(&signatures, case.timestamp);
            assert_eq!(refused, Err(VerifyError::NoMatch), "{signatures}");
        }
    }
}

#[test]
fn anything_else_that_was_changed_is_refused() {
    for case in Case::all() {
        let (secrets, body, at) = (&[case.secret()], case.body.as_bytes(), case.timestamp);
        let time = at.to_string();
        let longer = format!("{} ", case.body);
        let other = [Secret::from_random([7; 32])];

        let changed = [
            verify_standard(secrets, "msg_other", &time, &case.signature, body, at),
            verify_standard(secrets, &case.id, &(at + 1).to_string(), &case.signature, body, at),
            verify_standard(secrets, &case.id, &time, &case.signature, longer.as_bytes(), at),
            verify_standard(&other, &case.id, &time, &case.signature, body, at),
            verify_standard(&[], &case.id, &time, &case.signature, body, at),
        ];

        assert_eq!(changed, [Err(VerifyError::NoMatch); 5]);
    }
}

#[rstest]
#[case::missing("")]
#[case::not_a_number("soon")]
#[case::a_fraction("1700000000.5")]
#[case::beyond_numbers("99999999999999999999")]
fn an_unreadable_timestamp_is_refused(#[case] timestamp: &str) {
    let secrets = [Secret::from_random([1; 32])];

    let refused = verify_standard(&secrets, "id", timestamp, "v1,AAAA", b"{}", 1_700_000_000);

    assert_eq!(refused, Err(VerifyError::Timestamp));
}

#[test]
fn one_matching_signature_among_several_is_enough() {
    for case in Case::all() {
        let list = format!("v1a,xyz v1,AAAA {} v9,?", case.signature);

        assert_eq!(case.verify(&list, case.timestamp), Ok(()));
    }
}

#[rstest]
#[case::no_prefix("cAZQDEWfQNaMN8Yyb3plczGaQMdHKuX5")]
#[case::empty("whsec_")]
#[case::too_short("whsec_AAAA")]
#[case::not_base64("whsec_!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
fn text_that_is_no_secret_is_refused(#[case] text: &str) {
    assert_eq!(Secret::parse(text), Err(SecretRefused));
}

#[test]
fn a_secret_shows_itself_only_when_asked() {
    let secret = Secret::from_random([7; 32]);
    let shown = secret.reveal();

    assert_eq!(format!("{secret:?}"), "Secret(…)");
    assert_eq!(Secret::parse(&shown), Ok(secret.clone()));
    assert_eq!(Secret::parse(shown.trim_end_matches('=')), Ok(secret.clone()));
    assert!(shown.trim_end_matches('=').ends_with(&secret.last4()));
}

#[test]
fn a_delivery_carries_exactly_the_promised_headers() {
    let secret = Secret::from_random([7; 32]);
    let body = br#"{"a":1}"#;

    let secrets = std::slice::from_ref(&secret);
    let headers =
        delivery_headers("lead.created", "0192-id", secrets, 1_700_000_000, body, "application/json", "1.2.3");

    let expected = [
        ("content-type", "application/json".to_owned()),
        ("user-agent", "Leadline/1.2.3".to_owned()),
        ("x-leadline-event", "lead.created".to_owned()),
        ("x-leadline-delivery-id", "0192-id".to_owned()),
        ("webhook-id", "0192-id".to_owned()),
        ("webhook-timestamp", "1700000000".to_owned()),
        ("webhook-signature", sign_standard(&secret, "0192-id", 1_700_000_000, body)),
        ("x-leadline-signature", sign_plain(&secret, body)),
    ];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[test]
fn while_secrets_rotate_a_receiver_with_either_can_verify_and_the_plain_signature_is_the_new_ones() {
    let secrets = [Secret::from_random([1; 32]), Secret::from_random([2; 32])];

    let headers = delivery_headers("lead.created", "id", &secrets, 1_700_000_000, b"{}", "application/json", "1");

    let standard = &headers.iter().find(|(name, _)| name == "webhook-signature").unwrap().1;
    let plain: Vec<&String> =
        headers.iter().filter(|(name, _)| name == "x-leadline-signature").map(|(_, value)| value).collect();
    for secret in &secrets {
        let one = std::slice::from_ref(secret);
        assert_eq!(verify_standard(one, "id", "1700000000", standard, b"{}", 1_700_000_000), Ok(()));
    }
    assert_eq!(plain, [&sign_plain(&secrets[0], b"{}")]);
}
