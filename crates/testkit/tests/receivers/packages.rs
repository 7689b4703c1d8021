//! The official Standard Webhooks packages for JavaScript and Python, which go by the machine's clock.

use std::{path::Path, process::Command};

use leadline_domain::time::MINUTE_MS;
use leadline_engine::Clock;
use rstest::rstest;

use crate::recorded::{Case, Recorded, STRANGERS, assert_answers, driver, from_root, genuine, record, write};

/// The package for JavaScript, beside the browser tests; `make e2e/node_modules/.package-lock.json` puts it there.
fn javascript() -> Command {
    let manifest = from_root("e2e/package.json");
    let package = from_root("e2e/node_modules/standardwebhooks");
    assert!(package.exists(), "{} is missing: make e2e/node_modules/.package-lock.json", package.display());
    let mut command = Command::new("node");
    command.arg(driver("official.mjs")).arg(manifest);
    command
}

/// The package for Python, where scripts/python-packages.sh puts it: beside what cargo builds.
fn python() -> Command {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../python");
    let package = folder.join("standardwebhooks");
    assert!(package.exists(), "{} is missing: scripts/python-packages.sh", package.display());
    let mut command = Command::new("python3");
    command.arg(driver("official.py")).arg(folder);
    command
}

fn cases(recent: &Recorded, old: &Recorded) -> Vec<Case> {
    let good = |recorded: &Recorded| genuine("standard", &recorded.before, &recorded.old, recorded.sent_s);
    let during = |secret: &str| genuine("standard", &recent.during, secret, recent.sent_s);
    let not = |what, case: Case| Case { what, is_ours: false, ..case };
    vec![
        good(recent),
        Case { what: "during the overlap, the new secret", ..during(&recent.new) },
        Case { what: "during the overlap, the old secret", ..during(&recent.old) },
        not("a wrong secret", Case { secrets: vec![STRANGERS.to_owned()], ..good(recent) }),
        not("another delivery's body", Case { body: recent.during.body.to_vec(), ..good(recent) }),
        not("another id", good(recent).with_header("webhook-id", Some("another"))),
        not("an old one", good(old)),
    ]
}

#[rstest]
#[case::javascript("JavaScript", javascript())]
#[case::python("Python", python())]
#[tokio::test(flavor = "multi_thread")]
async fn the_official_package_takes_real_deliveries_and_refuses_changed_ones(
    #[case] language: &str,
    #[case] mut program: Command,
) {
    let now = Clock::System.now();
    let (recent, old) = (record(now).await, record(now.plus_ms(-10 * MINUTE_MS)).await);
    let cases = cases(&recent, &old);
    let folder = write(&cases);

    program.arg(folder.path());

    assert_answers(language, &mut program, &cases);
}
