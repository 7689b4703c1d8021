//! A real IMAP server (pymap), started for one test.

use std::{
    io::{BufRead, BufReader, Lines, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use leadline_outbound::Trust;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;
use tempfile::TempDir;

pub const USERNAME: &str = "leadline";
pub const PASSWORD: &str = "a password/with+signs";

pub struct MailboxServer {
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    port: String,
    certificate: rustls::pki_types::CertificateDer<'static>,
    _folder: TempDir,
}

impl MailboxServer {
    pub fn start() -> Self {
        let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../python");
        assert!(packages.join("pymap").exists(), "pymap is missing: scripts/python-packages.sh");
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (cert_file, key_file) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        std::fs::write(&cert_file, cert.pem()).expect("written");
        std::fs::write(&key_file, signing_key.serialize_pem()).expect("written");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mails/mailbox.py");
        let mut process = Command::new("python3")
            .args([script, packages, cert_file, key_file])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3");
        let mut output = BufReader::new(process.stdout.take().expect("its output")).lines();
        let input = process.stdin.take().expect("its input");
        let port = output.next().expect("a port").expect("text");
        Self { process, input, output, port, certificate: cert.der().clone(), _folder: folder }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("imaps://127.0.0.1:{}", self.port)
    }

    /// What its certificate is signed by.
    pub fn trust(&self) -> Trust {
        Trust::Only(vec![self.certificate.clone()])
    }

    /// Puts a mail into the mailbox.
    pub fn put(&mut self, mail: &str) {
        self.ask(&format!("mail {}", STANDARD.encode(mail)));
    }

    /// Empties the mailbox and counts anew.
    pub fn renew(&mut self) {
        self.ask("renew");
    }

    /// Each mail with its flags, as another program sees it.
    pub fn look(&mut self) -> Vec<String> {
        serde_json::from_value(self.ask("look")).expect("a list")
    }

    fn ask(&mut self, line: &str) -> Value {
        writeln!(self.input, "{line}").expect("it listens");
        let answer = self.output.next().expect("an answer").expect("text");
        serde_json::from_str(&answer).expect("JSON")
    }
}

impl Drop for MailboxServer {
    fn drop(&mut self) {
        let _ended = self.process.kill();
        let _ended = self.process.wait();
    }
}
