//! What providers sign, against signatures that were computed elsewhere.

use leadline_outbound::{Incoming, Scheme, Unproven, hmac_hex, same_secret, verify_signature};
use rstest::rstest;

const SECRET: &str = "app-secret";
const BODY: &str = "{\"a\":\"ä\"}";
const URL: &str = "https://leads.example/webhooks/leads/k?x=1";
const NOW_S: i64 = 1767600000;
const STANDARD_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

fn check(schemes: &[Scheme], secret: &str, headers: &[(&str, &str)], body: &str, now_s: i64) -> Result<(), Unproven> {
    let header = |name: &str| headers.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    let incoming = Incoming { method: "POST", url: URL, header: &header, body: body.as_bytes(), now_s };
    verify_signature(schemes, secret, &incoming)
}

#[rstest]
#[case::hub(Scheme::Hub, SECRET, &[("x-hub-signature-256", "sha256=692c1566d7b487a11e05b048acf1be1c61c40b565f03e5662d0b7ef0c9685344")])]
#[case::leadline(Scheme::Leadline, SECRET, &[("x-leadline-signature", "sha256=692c1566d7b487a11e05b048acf1be1c61c40b565f03e5662d0b7ef0c9685344")])]
#[case::typeform(Scheme::Typeform, SECRET, &[("typeform-signature", "sha256=aSwVZte0h6EeBbBIrPG+HGHEC1ZfA+VmLQt+8MloU0Q=")])]
#[case::tally(Scheme::Tally, SECRET, &[("tally-signature", "aSwVZte0h6EeBbBIrPG+HGHEC1ZfA+VmLQt+8MloU0Q=")])]
#[case::webflow(Scheme::Webflow, SECRET, &[("x-webflow-signature", "bedefb482553fb973687301b5245ea8f36b222ea411455e6b1c4c4d7f0a93db7"), ("x-webflow-timestamp", "1767600000000")])]
#[case::calendly(Scheme::Calendly, SECRET, &[("calendly-webhook-signature", "t=1767600000,v1=abf8b9b9c98c9c457539876f2d69b3e24c0ebfe5d9b073c87bf7db14210a5ad6")])]
#[case::hubspot(Scheme::HubSpot, SECRET, &[("x-hubspot-signature-v3", "ZVp36ND5uXCi4AKuddCalI8HAztVZeTdAOSVMuG1U/M="), ("x-hubspot-request-timestamp", "1767600000000")])]
#[case::standard(Scheme::Standard, STANDARD_SECRET, &[("webhook-signature", "v1,WNmFUAVIUIIELoiI+qVOxdFH8lMwtyXWs5G0fRLaGss="), ("webhook-id", "msg_1"), ("webhook-timestamp", "1767600000")])]
fn each_provider_is_known_by_its_signature_and_nobody_else(
    #[case] scheme: Scheme,
    #[case] secret: &str,
    #[case] headers: &[(&str, &str)],
) {
    let (name, given) = headers[0];
    let forged = |value: &str| {
        let headers: Vec<(&str, &str)> = [(name, value)].into_iter().chain(headers[1..].iter().copied()).collect();
        check(&[scheme], secret, &headers, BODY, NOW_S)
    };

    assert_eq!(check(&[scheme], secret, headers, BODY, NOW_S), Ok(()));
    assert_eq!(check(&Scheme::ALL, secret, headers, BODY, NOW_S), Ok(()));
    assert_eq!(check(&[scheme], secret, headers, "{\"a\":\"b\"}", NOW_S), Err(Unproven::Wrong));
    assert_eq!(
        check(&[scheme], "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", headers, BODY, NOW_S),
        Err(Unproven::Wrong)
    );
    assert_eq!(forged(""), Err(Unproven::Wrong));
    assert_eq!(forged(&given[..given.len() / 2]), Err(Unproven::Wrong));
    assert_eq!(check(&[scheme], secret, &headers[1..], BODY, NOW_S), Err(Unproven::Missing));
    let carries_a_time = headers.len() > 1 || scheme == Scheme::Calendly;
    let late = check(&[scheme], secret, headers, BODY, NOW_S + 301);
    assert_eq!(late, if carries_a_time { Err(Unproven::Wrong) } else { Ok(()) });
}

#[test]
fn a_token_is_proved_in_hex_and_secrets_are_compared_whole() {
    assert_eq!(hmac_hex(SECRET, "page-token"), "d8b448b9cc7d64c51098271805b3cc20b5b715e52bd587eb71b610259587c856");
    assert!(same_secret("hush", "hush") && !same_secret("hush", "hus") && !same_secret("hush", ""));
}
