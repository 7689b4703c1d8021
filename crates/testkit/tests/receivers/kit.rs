//! The files of docs/receivers, in every language that is on the machine.

use std::{fs, path::Path, process::Command};

use leadline_domain::time::Timestamp;
use leadline_outbound::hmac_hex;

use crate::recorded::{Case, Recorded, STRANGERS, assert_answers, driver, from_root, genuine, record, write};

/// Any time will do: the files are told what time it is.
const SENT_AT: Timestamp = Timestamp(1_767_600_000_000);

/// A language, and how its file is run.
struct Language {
    name: &'static str,
    /// What tells that it is there.
    probe: [&'static str; 2],
    run: fn(cases: &Path, scratch: &Path) -> Command,
}

const LANGUAGES: [Language; 6] = [
    Language { name: "JavaScript", probe: ["node", "--version"], run: |cases, _| script("node", "mjs", cases) },
    Language { name: "Python", probe: ["python3", "--version"], run: |cases, _| script("python3", "py", cases) },
    Language { name: "Ruby", probe: ["ruby", "--version"], run: |cases, _| script("ruby", "rb", cases) },
    Language { name: "PHP", probe: ["php", "--version"], run: |cases, _| script("php", "php", cases) },
    Language { name: "Go", probe: ["go", "version"], run: go },
    Language { name: "Java", probe: ["javac", "-version"], run: java },
];

fn script(program: &str, ending: &str, cases: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg(driver(&format!("driver.{ending}"))).arg(kit(&format!("verify.{ending}"))).arg(cases);
    command
}

fn go(cases: &Path, scratch: &Path) -> Command {
    fs::copy(kit("verify.go"), scratch.join("verify.go")).expect("copied");
    fs::copy(driver("driver.go"), scratch.join("driver.go")).expect("copied");
    let mut command = Command::new("go");
    command.args(["run", "verify.go", "driver.go"]).arg(cases).current_dir(scratch);
    command
}

fn java(cases: &Path, scratch: &Path) -> Command {
    let compiled =
        Command::new("javac").arg("-d").arg(scratch).arg(kit("Verify.java")).arg(driver("Driver.java")).output();
    let compiled = compiled.expect("javac was there a moment ago");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let mut command = Command::new("java");
    command.arg("-cp").arg(scratch).arg("Driver").arg(cases);
    command
}

fn kit(name: &str) -> std::path::PathBuf {
    from_root("docs/receivers").join(name)
}

fn is_there([program, argument]: [&str; 2]) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

/// Everything that one way of checking must say yes or no to.
fn cases_of(way: &'static str, recorded: &Recorded) -> Vec<Case> {
    let Recorded { before, during, old, new, sent_s } = recorded;
    let signature = if way == "standard" { "webhook-signature" } else { "x-leadline-signature" };
    let good = || genuine(way, before, old, *sent_s);
    let not = |what, case: Case| Case { what, is_ours: false, ..case };
    let mut longer = before.body.to_vec();
    longer.push(b' ');
    let respelled = String::from_utf8_lossy(&before.body).replace('ë', "\\u00eb").into_bytes();
    let flipped = flipped(before.header(signature));
    let two_secrets = vec![STRANGERS.to_owned(), old.clone()];
    vec![
        good(),
        Case { what: "among two secrets", secrets: two_secrets, ..good() },
        not("a byte more", Case { body: longer, ..good() }),
        not("the same JSON spelled otherwise", Case { body: respelled, ..good() }),
        not("another delivery's body", Case { body: during.body.to_vec(), ..good() }),
        not("a wrong secret", Case { secrets: vec![STRANGERS.to_owned()], ..good() }),
        not("a secret that was forgotten", Case { secrets: vec![String::new()], ..good() }),
        not("a secret without its bytes", Case { secrets: vec!["whsec_".to_owned()], ..good() }),
        not("no secret", Case { secrets: vec!["x".to_owned()], ..good() }),
        not("without a signature", good().with_header(signature, None)),
        not("an empty signature", good().with_header(signature, Some(""))),
        not("a changed signature", good().with_header(signature, Some(&flipped))),
        Case { what: "during the overlap, the new secret", ..genuine(way, during, new, *sent_s) },
    ]
}

/// The same with one character changed, past what every signature begins with.
fn flipped(signature: &str) -> String {
    let (before, after) = signature.split_at(12);
    let other = if after.starts_with('a') { 'b' } else { 'a' };
    format!("{before}{other}{}", &after[1..])
}

/// What the time and the list of signatures add.
fn standard_cases(recorded: &Recorded) -> Vec<Case> {
    let Recorded { before, during, old, sent_s, .. } = recorded;
    let good = |now_s| genuine("standard", before, old, now_s);
    let not = |what, case: Case| Case { what, is_ours: false, ..case };
    let later = (sent_s + 600).to_string();
    let among_others = format!("v1a,xyz {} v2,AAAA", before.header("webhook-signature"));
    vec![
        Case { what: "five minutes late", ..good(sent_s + 300) },
        Case { what: "five minutes early", ..good(sent_s - 300) },
        not("an old one", good(sent_s + 301)),
        not("one from the future", good(sent_s - 301)),
        not("an old one under a new time", good(sent_s + 600).with_header("webhook-timestamp", Some(&later))),
        not("no time", good(*sent_s).with_header("webhook-timestamp", None)),
        not("a time that is none", good(*sent_s).with_header("webhook-timestamp", Some("soon"))),
        not("another id", good(*sent_s).with_header("webhook-id", Some("another"))),
        Case {
            what: "among signatures of other kinds",
            ..good(*sent_s).with_header("webhook-signature", Some(&among_others))
        },
        Case { what: "during the overlap, the old secret", ..genuine("standard", during, old, *sent_s) },
    ]
}

fn plain_cases(recorded: &Recorded) -> Vec<Case> {
    let Recorded { during, old, new, sent_s, .. } = recorded;
    let body = String::from_utf8_lossy(&during.body);
    let by_anybody = format!("sha256={}", hmac_hex("", &body));
    let both = vec![old.clone(), new.clone()];
    let of_the_old = genuine("plain", during, old, *sent_s);
    let forged = genuine("plain", during, "", *sent_s).with_header("x-leadline-signature", Some(&by_anybody));
    vec![
        Case { what: "signed with an empty secret", is_ours: false, ..forged },
        Case { what: "during the overlap, the old secret alone", is_ours: false, ..of_the_old },
        Case { what: "during the overlap, both secrets", secrets: both, ..genuine("plain", during, new, *sent_s) },
    ]
}

/// Which languages there are depends on the machine; Node.js is what the build needs anyway. The others are named when
/// they are missing, since a test that runs them must not look like one that did.
#[tokio::test(flavor = "multi_thread")]
async fn each_file_of_the_receiver_kit_knows_real_deliveries_from_changed_ones() {
    let recorded = record(SENT_AT).await;
    let mut cases = [cases_of("standard", &recorded), cases_of("plain", &recorded)].concat();
    cases.extend(standard_cases(&recorded));
    cases.extend(plain_cases(&recorded));
    let folder = write(&cases);

    let (here, missing): (Vec<&Language>, Vec<&Language>) =
        LANGUAGES.iter().partition(|language| is_there(language.probe));
    for language in &here {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        assert_answers(language.name, &mut (language.run)(folder.path(), scratch.path()), &cases);
    }

    let names = |languages: &[&Language]| languages.iter().map(|one| one.name).collect::<Vec<_>>().join(", ");
    println!("receiver kit run in: {}; not on this machine: {}", names(&here), names(&missing));
    assert!(here.iter().any(|language| language.name == "JavaScript"), "Node.js is missing");
}

#[test]
fn the_page_names_each_file_of_the_kit() {
    let page = fs::read_to_string(from_root("docs/receivers.md")).expect("the page");
    let files = fs::read_dir(from_root("docs/receivers")).expect("the folder");

    let names: Vec<String> =
        files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();

    assert_eq!(names.len(), LANGUAGES.len(), "{names:?}");
    for name in names {
        assert!(page.contains(&format!("(receivers/{name})")), "docs/receivers.md does not name {name}");
    }
}
