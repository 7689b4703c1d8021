//! What a destination is asked with beside its headers. Secrets come in and never go out.

use leadline_domain::oauth::Oauth;
use leadline_engine::delivery::access::{WishedCertificate, WishedOauth};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How access tokens are got by OAuth 2.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct OauthRequest {
    /// `refresh_token`, on behalf of somebody who agreed once, or `client_credentials`, the client's own.
    #[schema(example = "refresh_token")]
    grant: String,
    /// Where tokens are asked for: an address as of any destination.
    #[schema(example = "https://oauth2.googleapis.com/token")]
    token_url: String,
    client_id: String,
    /// Stays as it is where it is left out and the address stays the same.
    client_secret: Option<String>,
    /// Stays as it is where it is left out and the address stays the same.
    refresh_token: Option<String>,
    /// Words parted by blanks.
    #[schema(example = "https://www.googleapis.com/auth/adwords")]
    scopes: Option<String>,
    /// What stands before the token in the header `Authorization`; `Bearer` unless something else is said.
    #[schema(example = "Bearer")]
    scheme: Option<String>,
}

impl From<OauthRequest> for WishedOauth {
    fn from(request: OauthRequest) -> Self {
        Self {
            grant: request.grant,
            token_url: request.token_url,
            client_id: request.client_id,
            client_secret: request.client_secret,
            refresh_token: request.refresh_token,
            scopes: request.scopes,
            scheme: request.scheme,
        }
    }
}

/// How access tokens are got, without the secrets.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OauthView {
    /// `refresh_token` or `client_credentials`.
    grant: &'static str,
    token_url: String,
    client_id: String,
    scopes: String,
    scheme: String,
}

impl From<Oauth> for OauthView {
    fn from(oauth: Oauth) -> Self {
        Self {
            grant: oauth.grant.as_str(),
            token_url: oauth.token_url,
            client_id: oauth.client_id,
            scopes: oauth.scopes,
            scheme: oauth.scheme,
        }
    }
}

/// A certificate with its key, both as PEM.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ClientCertificateRequest {
    /// With its chain if it has one.
    #[schema(example = "-----BEGIN CERTIFICATE-----")]
    certificate: String,
    /// Without a password.
    #[schema(example = "-----BEGIN PRIVATE KEY-----")]
    key: String,
}

impl std::fmt::Debug for ClientCertificateRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ClientCertificateRequest(…)")
    }
}

impl From<ClientCertificateRequest> for WishedCertificate {
    fn from(request: ClientCertificateRequest) -> Self {
        Self { certificate: request.certificate, key: request.key }
    }
}
