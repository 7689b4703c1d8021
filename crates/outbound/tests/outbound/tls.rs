//! Certificates: who is trusted, and how a refusal reads.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::Arc;

use leadline_outbound::{CertificateRefused, ClientCertificate, LookUp, SendError};
use rstest::rstest;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, Stream};

use crate::receivers::{PATIENT, Receiver, allowing, client_with, loopback_client, request};

/// A self-signed certificate for `receiver.example.com` and 127.0.0.1, made for these tests with its key.
const CERTIFICATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outbound/fixtures/receiver.crt");
const KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outbound/fixtures/receiver.key");

/// A receiver behind TLS that answers 204 to everything, on a thread of its own.
fn tls_receiver() -> SocketAddr {
    tls_receiver_with(server_config(Asks::Nobody))
}

/// Whom a receiver asks for a certificate.
#[derive(Clone, Copy)]
enum Asks {
    Nobody,
    /// Everybody, and it trusts the one of these tests.
    Everybody,
}

fn tls_receiver_with(config: Arc<ServerConfig>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for tcp in listener.incoming() {
            // A client that refuses the certificate ends the conversation here.
            let _ = answer(tcp.unwrap(), &config);
        }
    });
    address
}

fn server_config(asks: Asks) -> Arc<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_file(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let config = match asks {
        Asks::Nobody => config.with_no_client_auth(),
        Asks::Everybody => {
            let mut trusted = RootCertStore::empty();
            trusted.add(certificate.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider).build().unwrap();
            config.with_client_cert_verifier(verifier)
        }
    };
    Arc::new(config.with_single_cert(vec![certificate], key).unwrap())
}

fn answer(mut tcp: std::net::TcpStream, config: &Arc<ServerConfig>) -> std::io::Result<()> {
    let mut session = ServerConnection::new(Arc::clone(config)).unwrap();
    let mut stream = Stream::new(&mut session, &mut tcp);
    let mut request = Vec::new();
    while !request.ends_with(b"{\"a\":1}") {
        let mut chunk = [0; 1024];
        let read = stream.read(&mut chunk)?;
        request.extend_from_slice(&chunk[..read]);
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn a_certificate_of_an_unknown_issuer_is_refused() {
    let address = tls_receiver();

    let (_, result) = loopback_client().send(&request(&format!("https://{address}/"), PATIENT)).await;

    assert_eq!(result, Err(SendError::Tls("the certificate is not trusted".to_owned())));
}

#[tokio::test]
async fn a_receiver_that_does_not_speak_tls_is_told_as_such() {
    let receiver = Receiver::serving(|mut stream| async move {
        let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        std::future::pending::<()>().await;
    })
    .await;

    let (_, result) = loopback_client().send(&request(&format!("https://{}/", receiver.address), PATIENT)).await;

    assert_eq!(result, Err(SendError::Tls("the TLS handshake failed".to_owned())));
}

const CHILD: &str = "LEADLINE_TEST_TLS_CHILD";

/// The environment of a process is read when the client is built, so this test runs itself once more in a process that
/// has `SSL_CERT_FILE`, and a proxy that must not be used.
#[tokio::test]
async fn the_environment_names_trusted_certificates_but_no_proxy() {
    if std::env::var_os(CHILD).is_some() {
        return trusted_certificate_and_ignored_proxy().await;
    }
    let canary = Receiver::canary().await;
    let proxy = format!("http://{}", canary.address);

    let child = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "tls::the_environment_names_trusted_certificates_but_no_proxy"]);
        command.env(CHILD, "1").env("SSL_CERT_FILE", CERTIFICATE).env_remove("SSL_CERT_DIR");
        for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env(name, &proxy);
        }
        command.output().unwrap()
    });
    let output = child.await.unwrap();

    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "the test must have run in the child");
    assert_eq!(canary.hits(), 0);
}

async fn trusted_certificate_and_ignored_proxy() {
    let address = tls_receiver();
    let look_up: LookUp = Arc::new(|_| Box::pin(async { Ok(vec![[127, 0, 0, 1].into()]) }));
    let client = client_with(allowing(&["127.0.0.0/8"]), look_up);
    let url = |host: &str| format!("https://{host}:{}/", address.port());

    let asking = tls_receiver_with(server_config(Asks::Everybody));
    let certificate = std::fs::read_to_string(CERTIFICATE).unwrap();
    let key = std::fs::read_to_string(KEY).unwrap();
    let showing = client.showing(&ClientCertificate::read(&certificate, &key).unwrap()).unwrap();
    let url_of_asking = format!("https://127.0.0.1:{}/", asking.port());

    let (_, shown) = showing.send(&request(&url_of_asking, PATIENT)).await;
    let (_, not_shown) = client.send(&request(&url_of_asking, PATIENT)).await;

    assert_eq!(shown.map(|response| response.status), Ok(204));
    assert!(not_shown.is_err(), "nobody gets in without a certificate: {not_shown:?}");

    let (_, by_name) = client.send(&request(&url("receiver.example.com"), PATIENT)).await;
    let (_, by_address) = client.send(&request(&url("127.0.0.1"), PATIENT)).await;
    let (_, other_name) = client.send(&request(&url("other.example.com"), PATIENT)).await;

    assert_eq!(by_name.map(|response| response.status), Ok(204));
    assert_eq!(by_address.map(|response| response.status), Ok(204));
    assert_eq!(other_name, Err(SendError::Tls("the certificate is for another host name".to_owned())));
}

/// Of another certificate, made for these tests.
const OTHER_KEY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outbound/fixtures/other.key");

#[rstest]
#[case::nothing("", KEY, CertificateRefused::NoCertificate)]
#[case::a_key_for_a_certificate(KEY, KEY, CertificateRefused::NoCertificate)]
#[case::a_certificate_for_a_key(CERTIFICATE, CERTIFICATE, CertificateRefused::NoKey)]
#[case::another_key(CERTIFICATE, OTHER_KEY, CertificateRefused::Mismatch)]
fn a_certificate_is_refused_with_what_is_wrong(
    #[case] certificate: &str,
    #[case] key: &str,
    #[case] wanted: CertificateRefused,
) {
    let text = |path: &str| if path.is_empty() { String::new() } else { std::fs::read_to_string(path).unwrap() };

    assert_eq!(ClientCertificate::read(&text(certificate), &text(key)).err(), Some(wanted));
}

#[rstest]
#[case::no_certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")]
#[case::no_base64("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n")]
fn what_only_looks_like_a_certificate_is_refused(#[case] certificate: &str) {
    let key = std::fs::read_to_string(KEY).unwrap();

    assert_eq!(ClientCertificate::read(certificate, &key).err(), Some(CertificateRefused::Certificate));
}

#[test]
fn a_certificate_is_named_by_its_hash_and_never_shown() {
    let [certificate, key] = [CERTIFICATE, KEY].map(|path| std::fs::read_to_string(path).unwrap());

    let read = ClientCertificate::read(&certificate, &key).unwrap();

    assert_eq!(read.fingerprint().len(), 64);
    assert_eq!(format!("{read:?}"), format!("ClientCertificate({})", read.fingerprint()));
}
