//! Certificates that we show to receivers which ask for one (mutual TLS).
//!
//! They are checked when somebody saves them, with words for each of the usual mistakes: a certificate in place of a
//! key, a key with a password, a key of another certificate.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use sha2::{Digest, Sha256};

/// The longest certificate with its chain, and the longest key, in bytes.
pub const MAX_PEM_BYTES: usize = 32 * 1024;

/// A certificate with its key, ready to be shown.
#[derive(Clone)]
pub struct ClientCertificate {
    /// Certificates and key, written anew, so that nothing else of what somebody pasted is in it.
    pub(crate) pem: String,
    fingerprint: String,
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({})", self.fingerprint)
    }
}

/// Why a certificate cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefused {
    /// There is no certificate in it.
    #[error("holds no certificate; it begins with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    /// What is in it cannot be read.
    #[error("is not a certificate that can be read")]
    Certificate,
    /// There is no key in it, or one with a password.
    #[error("holds no private key without a password; it begins with -----BEGIN PRIVATE KEY-----")]
    NoKey,
    /// The key is of a kind that TLS has no use for here.
    #[error("is not a key that can sign: RSA, ECDSA on P-256 or P-384, or Ed25519")]
    Key,
    /// The key belongs to another certificate.
    #[error("does not belong to the certificate")]
    Mismatch,
    /// One of them is too long.
    #[error("is longer than 32 KiB")]
    TooLong,
}

impl CertificateRefused {
    /// A stable name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoCertificate => "certificate_missing",
            Self::Certificate => "certificate_invalid",
            Self::NoKey => "key_missing",
            Self::Key => "key_invalid",
            Self::Mismatch => "key_of_another_certificate",
            Self::TooLong => "certificate_too_long",
        }
    }

    /// Whether it is the key that is wrong, and not the certificate.
    pub fn is_about_the_key(self) -> bool {
        match self {
            Self::NoKey | Self::Key | Self::Mismatch => true,
            Self::NoCertificate | Self::Certificate | Self::TooLong => false,
        }
    }
}

impl ClientCertificate {
    /// Reads a certificate, with its chain if it has one, and its key, both as PEM.
    pub fn read(certificate: &str, key: &str) -> Result<Self, CertificateRefused> {
        if certificate.len().max(key.len()) > MAX_PEM_BYTES {
            return Err(CertificateRefused::TooLong);
        }
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
        let chain = read.map_err(|_| CertificateRefused::Certificate)?;
        let leaf = chain.first().ok_or(CertificateRefused::NoCertificate)?;
        let fingerprint = hex::encode(Sha256::digest(leaf));
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|_| CertificateRefused::NoKey)?;
        let pem = written(&chain, &key);
        match CertifiedKey::from_der(chain, key, &rustls::crypto::ring::default_provider()) {
            Ok(_) => Ok(Self { pem, fingerprint }),
            Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => Err(CertificateRefused::Mismatch),
            Err(Error::InvalidCertificate(_)) => Err(CertificateRefused::Certificate),
            Err(_) => Err(CertificateRefused::Key),
        }
    }

    /// The SHA-256 of the certificate, in hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

fn written(chain: &[CertificateDer<'_>], key: &PrivateKeyDer<'_>) -> String {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        _ => "PRIVATE KEY",
    };
    let part =
        |label: &str, der: &[u8]| format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der));
    chain.iter().map(|one| part("CERTIFICATE", one)).chain([part(label, key.secret_der())]).collect()
}
