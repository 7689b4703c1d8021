//! What the packages of providers say: each is asked by a script beside this file that names it.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

/// Puts a question to `{provider}.py`, which says in its head what may be asked.
pub fn ask(provider: &str, question: &Value) -> Value {
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../python");
    assert!(packages.join("installed.txt").exists(), "packages of providers are missing: scripts/python-packages.sh");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/http/messaging/{provider}.py"));
    let mut process = Command::new("python3")
        .args([script, packages])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    process.stdin.take().expect("its input").write_all(question.to_string().as_bytes()).expect("written");
    let output = process.wait_with_output().expect("it ends");
    assert!(output.status.success(), "the package did not like {question}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}
