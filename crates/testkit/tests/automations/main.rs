//! Automations, from the lead that arrives to the last line on its timeline, on both databases. Providers are played here:
//! a test says what is reported of which message, and when.

mod acts;
mod chains;
mod crashes;
mod fixtures;
mod segments;
mod skips;
mod starts;
mod steps;
