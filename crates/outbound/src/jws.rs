//! What an identity provider signed with a key that it publishes (JWS, RFC 7515, in its compact form).
//!
//! Two ways of signing are taken, RS256 and ES256, and each with keys of its own kind alone. What is not signed
//! (`none`), or by a secret that both sides know (`HS256`), is refused before any key is looked at: whoever has the
//! published key could have written it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

/// A longer one is nobody's sign-in.
const MAX_BYTES: usize = 16 * 1024;

/// Why what was signed is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsRefused {
    /// It is not three parts of base64 with JSON inside.
    #[error("it is not a signed token")]
    Malformed,
    /// It is signed in another way than RS256 and ES256, or not at all.
    #[error("it is not signed with RS256 or ES256")]
    Algorithm,
    /// None of the published keys is the one that it names.
    #[error("it is signed with a key that is not published")]
    UnknownKey,
    /// The signature does not fit.
    #[error("the signature does not fit")]
    Signature,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Es256,
}

/// The payload of a token that one of the published keys (a JWK set, RFC 7517) signed.
pub fn verify_jws(token: &str, keys: &Value) -> Result<Value, JwsRefused> {
    if token.len() > MAX_BYTES {
        return Err(JwsRefused::Malformed);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(JwsRefused::Malformed)?;
    let (header, payload) = message.split_once('.').ok_or(JwsRefused::Malformed)?;
    let header = read(header)?;
    let algorithm = match header["alg"].as_str() {
        Some("RS256") => Algorithm::Rs256,
        Some("ES256") => Algorithm::Es256,
        Some(_) | None => return Err(JwsRefused::Algorithm),
    };
    // What must be understood, and is not, may change what the rest means.
    if header.get("crit").is_some() {
        return Err(JwsRefused::Malformed);
    }
    let signature = bytes(signature).ok_or(JwsRefused::Malformed)?;
    let candidates = candidates(keys, algorithm, header["kid"].as_str());
    if candidates.is_empty() {
        return Err(JwsRefused::UnknownKey);
    }
    let fits = |key: &&Value| fits(key, algorithm, message.as_bytes(), &signature).is_some();
    candidates.into_iter().find(fits).ok_or(JwsRefused::Signature)?;
    read(payload)
}

fn read(part: &str) -> Result<Value, JwsRefused> {
    let bytes = bytes(part).ok_or(JwsRefused::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| JwsRefused::Malformed)
}

fn bytes(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

/// The keys that may have signed: those of the algorithm's kind, for signing, with the name that the token gives.
fn candidates<'a>(keys: &'a Value, algorithm: Algorithm, kid: Option<&str>) -> Vec<&'a Value> {
    let is_of_its_kind = |key: &&Value| match algorithm {
        Algorithm::Rs256 => key["kty"] == "RSA",
        Algorithm::Es256 => key["kty"] == "EC" && key["crv"] == "P-256",
    };
    let name = match algorithm {
        Algorithm::Rs256 => "RS256",
        Algorithm::Es256 => "ES256",
    };
    let is_for_this = |key: &&Value| {
        key["use"].as_str().is_none_or(|purpose| purpose == "sig") && key["alg"].as_str().is_none_or(|alg| alg == name)
    };
    let has_the_name = |key: &&Value| kid.is_none_or(|kid| key["kid"] == kid);
    let all = keys["keys"].as_array().into_iter().flatten();
    all.filter(is_of_its_kind).filter(is_for_this).filter(has_the_name).collect()
}

fn fits(key: &Value, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<()> {
    let part = |name: &str| key[name].as_str().and_then(bytes);
    match algorithm {
        Algorithm::Rs256 => {
            let (n, e) = (part("n")?, part("e")?);
            let key = RsaPublicKeyComponents { n: without_zeros(&n), e: without_zeros(&e) };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).ok()
        }
        Algorithm::Es256 => {
            let (x, y) = (part("x")?, part("y")?);
            let point = [&[4][..], &x, &y].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).ok()
        }
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const N: &str = "nPgSlIxWaa3x9hF9hotAWoeVepfw1Yrwm0GoL_4Slu5SQdkt1Ahc2ixQ-c2tYF8C1Mh595W6dFqxTH-GB0UkTt5coe47FOVv\
        EwqTlDctf7PlnB9Cu6OAjqMn4zTz7Ryyygiz2WZOeqgjUYKWJE22kwjShiiLOwL2_G9WmubHyGAgWQMWQ5K5CcB1mF7FMPnG\
        Fc5lEWAJi46RpPmXaXSlw30cnBAo7toubJwpzDSMIrU4zonENg-taW9jhvxFtsRt9lTMGL8hRKobY7OAWVmcM95bnRWu0Mj6\
        EYqq_e20JfcSCjqUQM2Xj7ID3udWMpkzC3mYmkf0Mll61sR-IkKASQ";

    /// `{"alg":"RS256","kid":"rsa-1"}` and `{"sub":"ann"}`, signed by OpenSSL.
    const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYS0xIn0.eyJzdWIiOiJhbm4ifQ.Q9n8usFznr5G7ebdmXcVTKQ1oSJ-cy0Fc5Btt\
        oQwRkb4n_SQCRkBzAZ3CFPokspNWMI5vKLa1FSUVkiQduAM7ItCmJPMU4JhBGOcYc-IdNfX26rX8GeZSkorf1vNOr9bnfXfO\
        9zXQ5eVvqwRqND8TVBM-4-GsvJIS0mH4S1fnK5v8UBjlzSN7su2BrjNR5BXXZvfofxx9ZcOPusYXhBP-aQDxlrJ7h9pGPN1h\
        Fuzz3R2rxezFed7uRtSIKL7NnBTgA-wiQM9IehcdcA1JfOSfcof2c4PSFTG7H4Il6YxFQGBaeFTzJJRrF_-MpqgOxb7yodJq\
        EJH76i7dxwpTh-oMA";

    fn keys() -> Value {
        json!({"keys": [{"kty": "RSA", "kid": "rsa-1", "n": N, "e": "AQAB", "use": "sig"}]})
    }

    fn part(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    #[test]
    fn what_was_signed_with_the_key_is_read() {
        assert_eq!(verify_jws(TOKEN, &keys()), Ok(json!({"sub": "ann"})));
    }

    #[test]
    fn another_payload_or_key_does_not_fit() {
        let (header, rest) = TOKEN.split_once('.').expect("parts");
        let signature = rest.split_once('.').expect("parts").1;
        let forged = format!("{header}.{}.{signature}", part(&json!({"sub": "bob"})));
        let other = json!({"keys": [{"kty": "RSA", "kid": "rsa-1", "n": N.replacen('A', "B", 1), "e": "AQAB"}]});
        let named = json!({"keys": [{"kty": "RSA", "kid": "rsa-2", "n": N, "e": "AQAB"}]});

        assert_eq!(verify_jws(&forged, &keys()), Err(JwsRefused::Signature));
        assert_eq!(verify_jws(TOKEN, &other), Err(JwsRefused::Signature));
        assert_eq!(verify_jws(TOKEN, &named), Err(JwsRefused::UnknownKey));
        assert_eq!(verify_jws(TOKEN, &json!({})), Err(JwsRefused::UnknownKey));
    }

    /// Keyed with the published key, as programs do that take any algorithm with any key.
    fn keyed_with_the_published_key() -> String {
        use hmac::{Hmac, KeyInit, Mac};

        let message = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "rsa-1"})), part(&json!({"sub": "bob"})));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&bytes(N).expect("a key")).expect("any length");
        mac.update(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    #[rstest]
    #[case::unsigned(format!("{}.{}.", part(&json!({"alg": "none"})), part(&json!({"sub": "bob"}))), JwsRefused::Algorithm)]
    #[case::none_in_capitals(format!("{}.{}.", part(&json!({"alg": "None"})), part(&json!({}))), JwsRefused::Algorithm)]
    #[case::by_a_secret(keyed_with_the_published_key(), JwsRefused::Algorithm)]
    #[case::no_algorithm(format!("{}.{}.x", part(&json!({})), part(&json!({}))), JwsRefused::Algorithm)]
    #[case::of_another_kind(format!("{}.{}.AAAA", part(&json!({"alg": "ES256"})), part(&json!({}))), JwsRefused::UnknownKey)]
    #[case::critical(format!("{}.{}.AAAA", part(&json!({"alg": "RS256", "crit": ["x"]})), part(&json!({}))), JwsRefused::Malformed)]
    #[case::no_token("abc".to_owned(), JwsRefused::Malformed)]
    #[case::two_parts("e30.e30".to_owned(), JwsRefused::Malformed)]
    #[case::too_long("x".repeat(20_000), JwsRefused::Malformed)]
    fn what_proves_nothing_is_refused(#[case] token: String, #[case] refused: JwsRefused) {
        assert_eq!(verify_jws(&token, &keys()), Err(refused));
    }
}
