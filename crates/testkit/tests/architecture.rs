//! The rules of the house that a compiler does not know: who may depend on whom, what may be written where.
//!
//! Each rule is a pure function over a file's path and text, and carries a breach that it must report, so that a rule
//! which has gone blind fails here and not in a review. The first test walks the whole project.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Crates from the ground up: a crate may use those in the rows below its own.
const LAYERS: &[&[&str]] = &[
    &["leadline-domain"],
    &["leadline-store", "leadline-outbound"],
    &["leadline-engine"],
    &["leadline-server"],
    &["leadline"],
];

/// Crates that own a secret: nobody else may name the library that holds it.
const OWNED: &[(&str, &[&str])] =
    &[("sea-orm", &["store"]), ("sea-orm-migration", &["store"]), ("reqwest", &["outbound", "testkit", "bench"])];

/// Engine modules that are features: none of them names another.
const ENGINE_FEATURES: &[&str] = &[
    "admin",
    "alerts",
    "analysis",
    "automations",
    "campaigns",
    "capture",
    "crm",
    "delivery",
    "messaging",
    "privacy",
    "scoring",
    "sources",
    "visits",
    "work",
];

/// Engine modules that are no features: every feature may use them, and they name none.
const ENGINE_GROUND: &[&str] = &[
    "addresses",
    "audit",
    "conditions",
    "connections",
    "erasing",
    "geo",
    "jobs",
    "lead_changes",
    "links",
    "live",
    "mails",
    "reasons",
    "reports",
    "retention",
    "seal",
];

/// Engine files that may name features other than their own, and why.
const ENGINE_SANCTIONED: &[(&str, &str)] = &[
    ("crates/engine/src/lib.rs", "holds what every use case needs, the door among it"),
    ("crates/engine/src/start.rs", "starts the features' work in the background"),
    ("crates/engine/src/dispatch.rs", "the switchboard: the one place that names every consumer"),
    (
        "crates/engine/src/capture/replay.rs",
        "the one shortcut: destinations are told from the spool while there is no event log to tell them",
    ),
    ("crates/engine/src/delivery/spooled.rs", "the other half of that shortcut"),
];

/// One file of the project, by its path from the root.
struct File<'a> {
    path: &'a str,
    text: &'a str,
}

/// What a rule found: a line (from 1, or 0 for the file as a whole) and the words for it.
type Finding = (usize, String);

struct Rule {
    name: &'static str,
    check: fn(&File) -> Vec<Finding>,
    /// A path and a text that break the rule.
    breach: (&'static str, &'static str),
    /// The nearest thing that keeps it.
    right: (&'static str, &'static str),
}

const RULES: &[Rule] = &[
    Rule {
        name: "crates depend on the layers below them only",
        check: dependencies_point_down,
        breach: ("crates/store/Cargo.toml", "[dependencies]\nleadline-engine.workspace = true\n"),
        right: ("crates/server/Cargo.toml", "[dependencies]\nleadline-engine.workspace = true\n"),
    },
    Rule {
        name: "one crate owns the database, one the way out",
        check: secrets_have_one_owner,
        breach: ("crates/engine/Cargo.toml", "[dependencies]\nreqwest.workspace = true\n"),
        right: ("crates/outbound/Cargo.toml", "[dependencies]\nreqwest.workspace = true\n"),
    },
    Rule {
        name: "an engine feature never uses another",
        check: features_stay_apart,
        breach: ("crates/engine/src/delivery.rs", "use crate::{\n    Engine,\n    capture::accept,\n};\n"),
        right: (
            "crates/engine/src/delivery/runner.rs",
            "use crate::{Engine, delivery::Outcome};\nuse super::Outcome;\n",
        ),
    },
    Rule {
        name: "the domain does no input or output and asks no clock",
        check: domain_is_pure,
        breach: ("crates/domain/src/leads.rs", "let now = std::time::SystemTime::now();\n"),
        right: ("crates/domain/src/leads.rs", "use std::net::IpAddr;\n"),
    },
    Rule {
        name: "the server holds no transaction and no SQL",
        check: server_only_reads,
        breach: ("crates/server/src/api/leads.rs", "pub async fn list(tx: &mut Tx) {}\n"),
        right: ("crates/server/src/api/leads.rs", "pub async fn list(reader: &Reader, tx: Sender<Hint>) {}\n"),
    },
    Rule {
        name: "names say what a thing is",
        check: names_are_not_vague,
        breach: ("crates/store/src/utils.rs", ""),
        right: ("crates/store/src/leads.rs", ""),
    },
    Rule {
        name: "lints are expected with a reason, tests are never switched off",
        check: no_silencing_attributes,
        breach: ("crates/store/src/leads.rs", "#[cfg(test)]\n#[ignore = \"slow\"]\nfn it_works() {}\n"),
        right: (
            "crates/store/src/leads.rs",
            "#[expect(clippy::too_many_lines, reason = \"one statement\")]\nfn insert() {}\n",
        ),
    },
    Rule {
        name: "a dashboard feature never imports another",
        check: web_features_stay_apart,
        breach: ("web/src/features/leads/routes.tsx", "import { Destination } from \"../destinations/queries\";\n"),
        right: (
            "web/src/features/leads/routes.tsx",
            "import { Button } from \"../../ui/Button\";\nimport { x } from \"./queries\";\n",
        ),
    },
    Rule {
        name: "nothing names the machine it was written on or the hosts it was fetched from",
        check: no_machine_names,
        breach: ("docs/notes.md", concat!("see /wo", "rk/main\n")),
        right: ("docs/notes.md", "see docs/work/notes.md\n"),
    },
    Rule {
        name: "nothing is left for later without an issue",
        check: no_loose_ends,
        breach: ("web/src/app/App.tsx", concat!("// TO", "DO: handle errors\n")),
        right: ("web/src/app/App.tsx", concat!("// TO", "DO(#12): handle errors\n")),
    },
    Rule {
        name: "the architecture page stays a page",
        check: architecture_is_short,
        breach: ("docs/ARCHITECTURE.md", "The engine calls accept() first.\n"),
        right: ("docs/ARCHITECTURE.md", "A submission is durable before it is answered.\n"),
    },
];

#[test]
fn the_whole_project_keeps_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");

    let found = breaches_under(&root);

    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn each_rule_goes_red_on_a_planted_violation_and_on_nothing_else() {
    for planted in RULES {
        let tree = tempfile::tempdir().expect("a temporary folder can be made");
        plant(tree.path(), planted.breach);

        let found = breaches_under(tree.path());

        assert_eq!(found.len(), 1, "planted against '{}': {found:?}", planted.name);
        assert!(found[0].contains(planted.name) && found[0].contains(planted.breach.0), "{found:?}");
    }
}

#[test]
fn each_rule_lets_the_right_way_pass() {
    for rule in RULES {
        let (path, text) = rule.right;
        assert_eq!((rule.check)(&File { path, text }), [], "{}", rule.name);
    }
}

#[test]
fn the_walk_sees_every_part_of_the_project() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");

    let paths: Vec<String> = files_under(&root).iter().map(|path| relative(&root, path)).collect();

    for part in [
        "crates/domain/src/",
        "crates/engine/src/",
        "crates/server/src/",
        "web/src/features/",
        "embed/src/",
        "docs/",
        "scripts/",
    ] {
        assert!(paths.iter().any(|path| path.starts_with(part)), "no file of {part} was looked at");
    }
}

fn plant(root: &Path, (path, text): (&str, &str)) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().expect("a planted file has a folder")).expect("the folder can be made");
    fs::write(file, text).expect("the file can be written");
}

/// Every breach of every rule below `root`, one line each.
fn breaches_under(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in files_under(root) {
        // What is no text (a picture, a font) has nothing to say.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        let path = relative(root, &file);
        for rule in RULES {
            for (line, what) in (rule.check)(&File { path: &path, text: &text }) {
                found.push(format!("{path}:{line}: {}: {what}", rule.name));
            }
        }
    }
    found
}

fn relative(root: &Path, file: &Path) -> String {
    file.strip_prefix(root).expect("a file found below the root").to_string_lossy().into_owned()
}

/// Files that people write: what is built, fetched or stored by a run is left out.
fn files_under(folder: &Path) -> Vec<PathBuf> {
    const LEFT_OUT: &[&str] = &[".git", "target", "node_modules", "dist", "data", "results"];
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder can be read").flatten() {
        let name = entry.file_name();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !LEFT_OUT.iter().any(|left_out| name == *left_out) => {
                files.extend(files_under(&entry.path()));
            }
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files.sort();
    files
}

fn dependencies_point_down(file: &File) -> Vec<Finding> {
    let Some(name) = crate_of_manifest(file) else { return Vec::new() };
    let package = if name == "leadline" { name.to_owned() } else { format!("leadline-{name}") };
    // The test kit and the benchmark stand beside the layers and may use all of them.
    let Some(own) = layer_of(&package) else { return Vec::new() };
    dependency_lines(file.text)
        .filter(|line| line.section != Section::Dev)
        .filter(|line| line.name.starts_with("leadline"))
        .filter(|line| layer_of(line.name).is_none_or(|layer| layer >= own))
        .map(|line| (line.number, format!("{package} depends on {}", line.name)))
        .collect()
}

fn layer_of(package: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&package))
}

fn secrets_have_one_owner(file: &File) -> Vec<Finding> {
    let Some(name) = crate_of_manifest(file) else { return Vec::new() };
    let forbidden =
        |dependency: &str| OWNED.iter().any(|(library, owners)| *library == dependency && !owners.contains(&name));
    dependency_lines(file.text)
        .filter(|line| forbidden(line.name))
        .map(|line| (line.number, format!("{name} names {}", line.name)))
        .collect()
}

/// `engine` for `crates/engine/Cargo.toml`, `bench` for `bench/Cargo.toml`.
fn crate_of_manifest<'a>(file: &File<'a>) -> Option<&'a str> {
    let folder = file.path.strip_suffix("/Cargo.toml")?;
    Some(folder.strip_prefix("crates/").unwrap_or(folder))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Normal,
    Dev,
    Other,
}

struct DependencyLine<'a> {
    number: usize,
    section: Section,
    name: &'a str,
}

/// The entries of a manifest's dependency tables, in the one form this project writes them.
fn dependency_lines(manifest: &str) -> impl Iterator<Item = DependencyLine<'_>> {
    let mut section = Section::Other;
    manifest.lines().enumerate().filter_map(move |(index, line)| {
        if line.starts_with('[') {
            section = match line.trim() {
                "[dependencies]" | "[build-dependencies]" => Section::Normal,
                "[dev-dependencies]" => Section::Dev,
                _ => Section::Other,
            };
            return None;
        }
        let name = line.split(['.', '=', ' ']).next().filter(|name| !name.is_empty() && !name.starts_with('#'))?;
        (section != Section::Other).then_some(DependencyLine { number: index + 1, section, name })
    })
}

fn features_stay_apart(file: &File) -> Vec<Finding> {
    let Some(module) = file.path.strip_prefix("crates/engine/src/").and_then(|path| path.strip_suffix(".rs")) else {
        return Vec::new();
    };
    if ENGINE_SANCTIONED.iter().any(|(path, _why)| *path == file.path) {
        return Vec::new();
    }
    let own = module.split('/').next().unwrap_or(module);
    if !ENGINE_FEATURES.contains(&own) && !ENGINE_GROUND.contains(&own) {
        return vec![(0, format!("'{own}' is listed neither as a feature nor as ground"))];
    }
    root_modules_named(file.text, module.split('/').count())
        .into_iter()
        .filter(|(_, name)| name != own && ENGINE_FEATURES.contains(&name.as_str()))
        .map(|(line, name)| (line, format!("{own} names the feature {name}")))
        .collect()
}

/// Modules of the crate's root that a file names, by `crate::` or by as many `super::` as it is deep, in a path or in
/// braces. A function at the root may be among them; it bears no feature's name.
fn root_modules_named(text: &str, depth: usize) -> Vec<(usize, String)> {
    let supers = "super::".repeat(depth);
    let mut named = Vec::new();
    let code = without_comments(text);
    for prefix in ["crate::", supers.as_str()] {
        for (at, _) in code.match_indices(prefix) {
            let before = code[..at].chars().next_back();
            if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':' || letter == '$')
            {
                continue;
            }
            let rest = &code[at + prefix.len()..];
            let start = at + prefix.len();
            let items = if rest.starts_with('{') { items_in_braces(rest) } else { vec![(0, rest)] };
            for (offset, item) in items {
                if let Some(module) = leading_module(item) {
                    named.push((line_of(&code, start + offset), module));
                }
            }
        }
    }
    named
}

/// The first level of `{a::B, c::{D, E}}`: where each item starts, and what follows from there.
fn items_in_braces(text: &str) -> Vec<(usize, &str)> {
    let mut items = Vec::new();
    let mut depth = 0_usize;
    let mut expecting = false;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => {
                depth += 1;
                expecting = depth == 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            ',' if depth == 1 => expecting = true,
            letter if expecting && !letter.is_whitespace() => {
                items.push((at, &text[at..]));
                expecting = false;
            }
            _ => {}
        }
    }
    items
}

/// `capture` for `capture::accept` and for `capture,`; nothing for `Engine` and for `open(`.
fn leading_module(item: &str) -> Option<String> {
    let name: String = item.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    let is_call = item[name.len()..].starts_with('(');
    (!is_call && name.starts_with(|letter: char| letter.is_ascii_lowercase())).then_some(name)
}

/// The text with whole-line comments emptied, so that a link in a doc comment is no use. Lines stay where they are.
fn without_comments(text: &str) -> String {
    text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line }).collect::<Vec<_>>().join("\n")
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn domain_is_pure(file: &File) -> Vec<Finding> {
    if !file.path.starts_with("crates/domain/src/") {
        return Vec::new();
    }
    lines_with_a_word(
        file.text,
        &["SystemTime", "Instant", "tokio", "async", "rand", "Utc::now", "std::fs", "TcpStream", "std::env"],
    )
}

fn server_only_reads(file: &File) -> Vec<Finding> {
    if !file.path.starts_with("crates/server/src/") {
        return Vec::new();
    }
    lines_with_a_word(file.text, &["Tx", "begin", "sea_orm", "INSERT INTO", "DELETE FROM", "SELECT"])
}

/// Lines of code, not comments, on which one of the words stands by itself.
fn lines_with_a_word(text: &str, words: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, line) in without_comments(text).lines().enumerate() {
        if let Some(word) = words.iter().find(|word| has_word(line, word)) {
            found.push((index + 1, format!("{word} in: {}", line.trim())));
        }
    }
    found
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_a_name = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back().is_some_and(part_of_a_name);
        let after = line[at + word.len()..].chars().next().is_some_and(part_of_a_name);
        !before && !after
    })
}

fn names_are_not_vague(file: &File) -> Vec<Finding> {
    const VAGUE: &[&str] = &["core", "common", "shared", "types", "helpers", "misc", "utils", "util", "helper"];
    let in_code = ["crates/", "bench/", "web/src/", "embed/src/"].iter().any(|folder| file.path.starts_with(folder));
    if !in_code {
        return Vec::new();
    }
    file.path
        .split('/')
        .filter_map(|part| part.split('.').next())
        .filter(|part| VAGUE.contains(part))
        .map(|part| (0, format!("'{part}' could be anything")))
        .collect()
}

fn no_silencing_attributes(file: &File) -> Vec<Finding> {
    if !file.path.ends_with(".rs") {
        return Vec::new();
    }
    let silences = |line: &str| {
        let attribute = line.starts_with("#[") || line.starts_with("#![");
        attribute && (has_word(line, "allow") || has_word(line, "ignore") || has_word(line, "should_panic"))
    };
    file.text
        .lines()
        .enumerate()
        .filter(|(_, line)| silences(line.trim_start()))
        .map(|(index, line)| (index + 1, line.trim().to_owned()))
        .collect()
}

fn web_features_stay_apart(file: &File) -> Vec<Finding> {
    let Some(inside) = file.path.strip_prefix("web/src/") else { return Vec::new() };
    let own = Place::of(inside);
    import_paths(file.text)
        .into_iter()
        .filter_map(|(line, target)| Some((line, resolve(inside, target)?)))
        .filter(|(_, target)| !own.may_import(&Place::of(target)))
        .map(|(line, target)| (line, format!("imports {target}")))
        .collect()
}

/// Where a file of the dashboard stands: in the app, in a feature, or on the ground that all share.
#[derive(PartialEq, Eq)]
enum Place {
    App,
    Feature(String),
    Ground,
}

impl Place {
    fn of(path: &str) -> Self {
        let mut parts = path.split('/');
        match (parts.next(), parts.next()) {
            (Some("features"), Some(name)) => Self::Feature(name.to_owned()),
            (Some("ui" | "api" | "lib"), Some(_)) => Self::Ground,
            _ => Self::App,
        }
    }

    fn may_import(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::App, _) | (_, Self::Ground) => true,
            (Self::Feature(own), Self::Feature(target)) => own == target,
            (Self::Feature(_) | Self::Ground, Self::App) | (Self::Ground, Self::Feature(_)) => false,
        }
    }
}

/// What stands in quotes after `from`, `import` or `import(`.
fn import_paths(text: &str) -> Vec<(usize, &str)> {
    let mut paths = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for keyword in ["from \"", "import \"", "import(\""] {
            for (at, _) in line.match_indices(keyword) {
                let rest = &line[at + keyword.len()..];
                paths.extend(rest.split('"').next().map(|path| (index + 1, path)));
            }
        }
    }
    paths
}

/// The path below `web/src` that a relative or an `@/` import means; nothing for a package.
fn resolve(from: &str, import: &str) -> Option<String> {
    if let Some(path) = import.strip_prefix("@/") {
        return Some(path.to_owned());
    }
    if !import.starts_with('.') {
        return None;
    }
    let mut folder: Vec<&str> = from.split('/').collect();
    folder.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => {
                folder.pop();
            }
            part => folder.push(part),
        }
    }
    Some(folder.join("/"))
}

fn no_machine_names(file: &File) -> Vec<Finding> {
    // In two halves, so that this file does not report itself.
    const NAMES: &[&str] = &[
        concat!(" /wo", "rk/"),
        concat!("\"/wo", "rk/"),
        concat!("(/wo", "rk/"),
        concat!("`/wo", "rk/"),
        concat!("'/wo", "rk/"),
        concat!("=/wo", "rk/"),
        concat!("registry.npm", "js.org"),
        concat!("index.crates", ".io"),
        concat!("static.crates", ".io"),
        concat!("files.python", "hosted.org"),
        concat!("deb.debian", ".org"),
    ];
    let names = |line: &str| NAMES.iter().find(|name| format!(" {line}").contains(*name));
    file.text
        .lines()
        .enumerate()
        .filter_map(|(index, line)| Some((index + 1, format!("names {}", names(line)?.trim()))))
        .collect()
}

fn no_loose_ends(file: &File) -> Vec<Finding> {
    const MARKS: &[&str] = &[
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("unimple", "mented!"),
        concat!("to", "do!"),
    ];
    let is_code = [".rs", ".ts", ".tsx", ".mjs", ".sh", ".css"].iter().any(|ending| file.path.ends_with(ending));
    if !is_code {
        return Vec::new();
    }
    let loose = |line: &str| MARKS.iter().any(|mark| has_word(line, mark)) && !line.contains("(#");
    file.text
        .lines()
        .enumerate()
        .filter(|(_, line)| loose(line))
        .map(|(index, line)| (index + 1, line.trim().to_owned()))
        .collect()
}

fn architecture_is_short(file: &File) -> Vec<Finding> {
    if file.path != "docs/ARCHITECTURE.md" {
        return Vec::new();
    }
    let mut found: Vec<Finding> = file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains("()"))
        .map(|(index, line)| (index + 1, format!("names a function: {}", line.trim())))
        .collect();
    let lines = file.text.lines().count();
    if lines > 200 {
        found.push((lines, "is longer than 200 lines".to_owned()));
    }
    found
}
