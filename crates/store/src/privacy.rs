//! What the database holds of one person, and taking it out: every table, by name.
//!
//! [`places`] is the one list of tables, and says of each whether it holds anything of persons and how that goes. What
//! belongs to a person by an id is found in [`rows`], what names them in a text in [`texts`]; who they are in
//! [`person`]. [`wipe`] takes away what the database keeps of rows that are gone, and [`held`] shows it all.

pub mod held;
pub mod person;
pub mod places;
pub mod rows;
pub mod texts;
pub mod wipe;
