//! The user agents of programs and browsers that others have collected.

use leadline_domain::scores::{Channel, SuspicionFacts, Weights, suspicion};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases/useragents");

fn user_agents(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{file}")).unwrap_or_else(|error| {
        panic!("the outside test material is missing: ../shared/cases/useragents/{file} ({error})")
    });
    let rows: Vec<Value> = serde_json::from_str(&text).expect("the file has the columns of SOURCES.md");
    rows.iter().filter_map(|row| row["ua"].as_str()).map(str::to_owned).collect()
}

fn is_suspicious(user_agent: &str) -> bool {
    let facts = SuspicionFacts { channel: Channel::Browser, user_agent: Some(user_agent), ..SuspicionFacts::default() };
    suspicion(&facts, &Weights::default()).total > 0
}

#[test]
fn programs_raise_suspicion() {
    let programs = user_agents("bots.json");

    let unnoticed: Vec<&String> = programs.iter().filter(|user_agent| !is_suspicious(user_agent)).collect();

    println!("{} of {} unnoticed", unnoticed.len(), programs.len());
    assert!(unnoticed.len() * 100 <= programs.len() * 2, "{unnoticed:#?}");
}

#[test]
fn ordinary_browsers_raise_none() {
    let is_ordinary = |user_agent: &String| {
        user_agent.starts_with("Mozilla/5.0 (")
            && ["Safari/", "Firefox/", "Mobile/"].iter().any(|mark| user_agent.contains(mark))
            && !["bot", "spider", "crawl", "phantom", "http"]
                .iter()
                .any(|mark| user_agent.to_lowercase().contains(mark))
    };
    let browsers: Vec<String> = user_agents("uap.json").into_iter().filter(is_ordinary).collect();
    assert!(browsers.len() > 1_000, "only {} browsers", browsers.len());

    let accused: Vec<&String> = browsers.iter().filter(|user_agent| is_suspicious(user_agent)).collect();

    println!("{} of {} accused", accused.len(), browsers.len());
    assert!(accused.len() * 1_000 < browsers.len() * 5, "{accused:#?}");
}
