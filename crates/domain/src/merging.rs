//! Making one lead of two that are the same person: whose word counts in each field, and how that is taken back.
//!
//! Fields are named as the API names them, custom fields `custom.` with their key; a field without a value is `null`.
//! What is chosen is a list of changes to the lead that stays, so that a split can put back exactly those that nobody
//! touched since.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What a lead says of its person, by the name of the field.
pub type Fields = Map<String, Value>;

/// One of the two leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The one that stays.
    Winner,
    /// The one that goes into the other.
    Loser,
}

/// Whose word counts in a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The field.
    pub field: String,
    /// What the one that stays says.
    pub winner: Value,
    /// What the other one says.
    pub loser: Value,
    /// Whose word counts.
    pub chosen: Side,
}

/// A field of the lead that stays, as the merge changed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The field.
    pub field: String,
    /// What it said.
    pub before: Value,
    /// What it says since.
    pub after: Value,
}

/// What a split puts back.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PutBack {
    /// The fields that are as the merge left them, with what they said before.
    pub fields: Fields,
    /// The fields that somebody changed since.
    pub left: Vec<String>,
}

/// Chooses for every field that one of the two has a value in: what was wished, else the word of the lead that stays,
/// unless it has none.
#[must_use]
pub fn choose(winner: &Fields, loser: &Fields, wishes: &BTreeMap<String, Side>) -> Vec<Choice> {
    let mut names: Vec<&String> =
        winner.keys().chain(loser.keys().filter(|name| !winner.contains_key(*name))).collect();
    names.retain(|name| !is_nothing(winner.get(*name)) || !is_nothing(loser.get(*name)));
    let choice = |name: &String| {
        let value = |fields: &Fields| fields.get(name).cloned().unwrap_or(Value::Null);
        let by_itself = if is_nothing(winner.get(name)) { Side::Loser } else { Side::Winner };
        let chosen = wishes.get(name).copied().unwrap_or(by_itself);
        Choice { field: name.clone(), winner: value(winner), loser: value(loser), chosen }
    };
    names.into_iter().map(choice).collect()
}

/// What these choices change of the lead that stays.
#[must_use]
pub fn changes(choices: &[Choice]) -> Vec<Change> {
    let change = |choice: &Choice| {
        let is_another = choice.chosen == Side::Loser && choice.winner != choice.loser;
        is_another.then(|| Change {
            field: choice.field.clone(),
            before: choice.winner.clone(),
            after: choice.loser.clone(),
        })
    };
    choices.iter().filter_map(change).collect()
}

/// What is put back of a lead that says `current` by now.
#[must_use]
pub fn put_back(current: &Fields, changes: &[Change]) -> PutBack {
    let mut back = PutBack::default();
    for change in changes {
        if current.get(&change.field).unwrap_or(&Value::Null) == &change.after {
            back.fields.insert(change.field.clone(), change.before.clone());
        } else {
            back.left.push(change.field.clone());
        }
    }
    back
}

/// Whether a field says nothing.
fn is_nothing(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty() || text == "not_set",
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(fields)) => fields.is_empty(),
        Some(Value::Bool(_) | Value::Number(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn fields(value: Value) -> Fields {
        match value {
            Value::Object(fields) => fields,
            other => panic!("{other} is no object"),
        }
    }

    fn merge(winner: Value, loser: Value, wishes: &[(&str, Side)]) -> Vec<Change> {
        let wishes = wishes.iter().map(|(field, side)| ((*field).to_owned(), *side)).collect();
        changes(&choose(&fields(winner), &fields(loser), &wishes))
    }

    #[rstest]
    #[case::the_winner_keeps_its_word(json!({"email": "a@x.example"}), json!({"email": "b@x.example"}), &[], json!({}))]
    #[case::gaps_are_filled(json!({"email": null, "company": ""}), json!({"email": "b@x.example", "company": "B"}), &[],
        json!({"email": "b@x.example", "company": "B"}))]
    #[case::a_wish_counts(json!({"company": "A"}), json!({"company": "B"}), &[("company", Side::Loser)],
        json!({"company": "B"}))]
    #[case::a_wish_for_nothing_clears(json!({"company": "A"}), json!({}), &[("company", Side::Loser)],
        json!({"company": null}))]
    #[case::a_wish_against_filling(json!({}), json!({"title": "CEO"}), &[("title", Side::Winner)], json!({}))]
    #[case::the_same_is_no_change(json!({"title": "CEO"}), json!({"title": "CEO"}), &[("title", Side::Loser)], json!({}))]
    #[case::not_set_is_nothing(json!({"quotable": "not_set"}), json!({"quotable": "yes"}), &[], json!({"quotable": "yes"}))]
    #[case::a_no_is_something(json!({"custom.vip": false}), json!({"custom.vip": true}), &[], json!({}))]
    fn each_field_has_one_word(
        #[case] winner: Value,
        #[case] loser: Value,
        #[case] wishes: &[(&str, Side)],
        #[case] expected: Value,
    ) {
        let after: Fields =
            merge(winner, loser, wishes).into_iter().map(|change| (change.field, change.after)).collect();

        assert_eq!(Value::Object(after), expected);
    }

    #[test]
    fn a_split_puts_back_what_nobody_touched() {
        let merged = merge(
            json!({"email": null, "company": "A"}),
            json!({"email": "b@x.example", "company": "B", "title": "CEO"}),
            &[("company", Side::Loser)],
        );

        let back = put_back(&fields(json!({"email": "b@x.example", "company": "C", "title": "CEO"})), &merged);

        assert_eq!(Value::Object(back.fields), json!({"email": null, "title": null}));
        assert_eq!(back.left, ["company"]);
    }
}
