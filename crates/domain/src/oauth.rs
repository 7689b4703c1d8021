//! How a destination's access tokens are got: OAuth 2 with a refresh token, or as a client by itself (RFC 6749).
//!
//! The secrets of it are sealed elsewhere. What a token endpoint answers is read here.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::time::{MINUTE_MS, SECOND_MS, Timestamp};

/// How access tokens are got, without the secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Oauth {
    /// On whose behalf.
    pub grant: Grant,
    /// Where tokens are asked for.
    pub token_url: String,
    /// As whom.
    pub client_id: String,
    /// What for; parted by blanks.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scopes: String,
    /// What stands before the token in the header.
    pub scheme: String,
    /// When somebody last set it, so that a token of before is not used any more.
    pub set_at: Timestamp,
}

/// On whose behalf tokens are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// Of somebody who once agreed.
    RefreshToken,
    /// The client's own.
    ClientCredentials,
}

impl Grant {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::RefreshToken, Self::ClientCredentials];

    /// As it stands in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The grant of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == name)
    }
}

/// An access token.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// From when on another one is asked for.
    pub stale_at: Timestamp,
    /// A new refresh token in place of the one that was used.
    pub refresh_token: Option<String>,
}

impl std::fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccessToken(until {})", self.stale_at)
    }
}

/// Where an endpoint does not say how long its token is good for.
const UNSAID_MS: i64 = 30 * MINUTE_MS;

/// A token is renewed so long before its end, so that none ends on its way.
const MARGIN_MS: i64 = MINUTE_MS;

/// Some endpoints name a time of years; a day is often enough to notice that a secret was taken away.
const LONGEST_MS: i64 = 24 * 60 * MINUTE_MS;

/// Longer than any token; header sections of more than 8 KiB are refused widely.
const LONGEST_TOKEN: usize = 6 * 1024;

impl AccessToken {
    /// Reads a token endpoint's answer; what is wrong with it, in words that hold nothing of it.
    ///
    /// # Errors
    /// Where it holds no token that can be sent.
    pub fn read(body: &[u8], now: Timestamp) -> Result<Self, &'static str> {
        let answer: Value = serde_json::from_slice(body).map_err(|_| "its answer is not JSON")?;
        let token = answer["access_token"].as_str().ok_or("its answer holds no access_token")?;
        let can_be_sent =
            (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
        if !can_be_sent {
            return Err("its access_token cannot stand in a header");
        }
        let said = answer["expires_in"].as_i64().or_else(|| answer["expires_in"].as_str()?.parse().ok());
        let lasts_ms = said.map_or(UNSAID_MS, |seconds| seconds.saturating_mul(SECOND_MS)).clamp(0, LONGEST_MS);
        let margin_ms = MARGIN_MS.min(lasts_ms / 2);
        let refresh_token = answer["refresh_token"].as_str().filter(|token| !token.is_empty()).map(str::to_owned);
        Ok(Self { token: token.to_owned(), stale_at: now.plus_ms(lasts_ms - margin_ms), refresh_token })
    }
}

/// The name of what a token endpoint refused (`invalid_grant`), where it says one: only what looks like a name.
#[must_use]
pub fn refusal(body: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let name = answer["error"].as_str()?;
    let is_a_name = (1..=60).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'));
    is_a_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    #[rstest]
    #[case::said(r#"{"access_token":"a","expires_in":3600}"#, 3_540_000)]
    #[case::said_as_text(r#"{"access_token":"a","expires_in":"3600"}"#, 3_540_000)]
    #[case::unsaid(r#"{"access_token":"a"}"#, 29 * MINUTE_MS)]
    #[case::short(r#"{"access_token":"a","expires_in":10}"#, 5_000)]
    #[case::over(r#"{"access_token":"a","expires_in":-5}"#, 0)]
    #[case::for_ever(r#"{"access_token":"a","expires_in":9223372036854775807}"#, LONGEST_MS - MARGIN_MS)]
    fn a_token_is_used_until_shortly_before_its_end(#[case] body: &str, #[case] stale_in_ms: i64) {
        let read = AccessToken::read(body.as_bytes(), NOW).expect("a token");

        assert_eq!((read.token.as_str(), read.stale_at), ("a", NOW.plus_ms(stale_in_ms)));
    }

    #[rstest]
    #[case::no_json("<html>")]
    #[case::no_token(r#"{"error":"invalid_grant"}"#)]
    #[case::two_lines(r#"{"access_token":"a\r\nx: y"}"#)]
    #[case::empty(r#"{"access_token":""}"#)]
    fn what_is_no_token_is_not_used(#[case] body: &str) {
        assert!(AccessToken::read(body.as_bytes(), NOW).is_err());
    }

    #[rstest]
    #[case(r#"{"error":"invalid_grant","error_description":"secret"}"#, Some("invalid_grant"))]
    #[case(r#"{"error":"You sent Secret!"}"#, None)]
    #[case(r#"{"error":{"code":1}}"#, None)]
    fn a_refusal_is_told_by_its_name_alone(#[case] body: &str, #[case] name: Option<&str>) {
        assert_eq!(refusal(body.as_bytes()).as_deref(), name);
    }
}
