//! A real SMTP server (aiosmtpd), started for one test.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use leadline_outbound::{Mailer, Trust};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;
use tempfile::TempDir;

/// Longer than any of these takes, on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Server {
    process: Child,
    port: String,
    scheme: &'static str,
    certificate: rustls::pki_types::CertificateDer<'static>,
    taken: mpsc::Receiver<Value>,
    _folder: TempDir,
}

impl Server {
    pub fn start(mode: &'static str) -> Self {
        let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../python");
        assert!(packages.join("aiosmtpd").exists(), "aiosmtpd is missing: scripts/python-packages.sh");
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&cert_file, cert.pem()).expect("written");
        std::fs::write(&key_file, signing_key.serialize_pem()).expect("written");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mails/server.py");
        let mut process = Command::new("python3")
            .args([script, packages, cert_file, key_file])
            .arg(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let port = lines.next().expect("a port").expect("text");
        let (sender, taken) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _nobody_listens = sender.send(serde_json::from_str(&line).expect("JSON"));
            }
        });
        let scheme = if mode == "tls" { "smtps" } else { "smtp" };
        Self { process, port, scheme, certificate: cert.der().clone(), taken, _folder: folder }
    }

    /// Sends by this server as this user, and trusts it.
    pub fn mailer(&self, credentials: &str, query: &str) -> Mailer {
        self.mailer_that_trusts(credentials, query, Trust::Only(vec![self.certificate.clone()]))
    }

    pub fn mailer_that_trusts(&self, credentials: &str, query: &str, trust: Trust) -> Mailer {
        let url = format!("{}://{credentials}127.0.0.1:{}{query}", self.scheme, self.port);
        Mailer::new(&url, "Leadline <leadline@example.com>", trust).expect("a mailer")
    }

    /// Its address, without who signs in.
    pub fn url(&self, query: &str) -> String {
        format!("{}://127.0.0.1:{}{query}", self.scheme, self.port)
    }

    /// What its certificate is signed by.
    pub fn trust(&self) -> Trust {
        Trust::Only(vec![self.certificate.clone()])
    }

    /// The next message that it took.
    pub fn next(&self) -> Value {
        self.taken.recv_timeout(PATIENCE).expect("a message")
    }

    /// Messages that it took and nobody has looked at.
    pub fn rest(&self) -> Vec<Value> {
        self.taken.try_iter().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}
