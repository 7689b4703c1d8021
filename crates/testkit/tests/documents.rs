//! Documents that could drift from what they describe, each held to it.

use std::{collections::BTreeSet, fs, path::Path};

use leadline_server::error::Code;

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_npm_package_has_its_reason_in_the_dependencies_page() {
    let page = read("docs/dependencies.md");

    for folder in ["web", "embed", "e2e"] {
        let manifest: serde_json::Value =
            serde_json::from_str(&read(&format!("{folder}/package.json"))).expect("package.json is JSON");
        for table in ["dependencies", "devDependencies"] {
            for name in manifest[table].as_object().into_iter().flat_map(|packages| packages.keys()) {
                assert!(page.contains(&format!("`{name}`")), "{folder}/package.json: {name} has no reason");
            }
        }
    }
}

#[test]
fn the_errors_page_lists_every_code_with_its_status_and_meaning() {
    let page = read("docs/errors.md");

    for code in Code::ALL {
        let row = format!("| `{}` | {} | {} |", code.as_str(), code.status().as_u16(), code.meaning());
        assert!(page.contains(&row), "docs/errors.md lacks the row: {row}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, Code::ALL.len(), "docs/errors.md lists codes that do not exist");
}

#[test]
fn the_operations_page_lists_every_metric() {
    let page = read("docs/operations.md");
    let code = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));

    let documented: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `leadline_")?.split_once("` | "))
        .map(|(name, _)| name)
        .collect();
    let counted: BTreeSet<&str> = code
        .split("metrics::")
        .skip(1)
        .filter_map(|call| call.split(';').next()?.split_once("\"leadline_")?.1.split('"').next())
        .collect();

    assert_eq!(documented, counted);
}

#[test]
fn no_two_types_of_the_api_have_one_name() {
    // The description of the API keeps one of them without a word, and clients get its shape for both.
    let code = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../server/src"));
    let declared = code
        .split("#[derive(")
        .skip(1)
        .filter(|item| item.split_once(")]").is_some_and(|(derived, _)| derived.contains("ToSchema")));
    let mut names = BTreeSet::new();

    for item in declared {
        let words = item.split(|char: char| !char.is_alphanumeric() && char != '_');
        let name = words.skip_while(|word| !matches!(*word, "struct" | "enum")).nth(1).expect("a type's name");
        assert!(names.insert(name), "{name} is declared twice");
    }
    assert!(names.len() > 50, "the types are read: {names:?}");
}

/// The text of every Rust file below `folder`.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("the folder can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text += &fs::read_to_string(&path).expect("source is text");
        }
    }
    text
}

#[test]
fn no_document_points_at_a_file_that_is_not_there() {
    for page in [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "docs/ARCHITECTURE.md",
        "docs/STYLE.md",
        "docs/receiving.md",
        "docs/receivers.md",
        "docs/conversions.md",
        "docs/operations.md",
    ] {
        let folder = Path::new(page).parent().expect("a page has a folder");
        let text = read(page);
        for target in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder).join(target);
            assert!(path.exists(), "{page} points at {target}");
        }
    }
}
