//! Reads the outside test material.

use serde::de::DeserializeOwned;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases");

/// All rows of a file; none is as loud as a missing file.
pub fn read<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{file}"))
        .unwrap_or_else(|error| panic!("the outside test material is missing: ../shared/cases/{file} ({error})"));
    let rows: Vec<T> = serde_json::from_str(&text).expect("the cases are an array of rows");
    assert!(!rows.is_empty(), "{file} holds no cases");
    rows
}
