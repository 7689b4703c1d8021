//! What is true: the rules and types of Leadline.
//!
//! Everything here is pure. Time and random bytes are arguments, nothing is read or written, nothing waits; so each
//! rule can be tested as a table. What the rules are applied to lives in `leadline-store`, who applies them in
//! `leadline-engine`.

pub mod agents;
pub mod analysis;
pub mod assignment;
pub mod attribution;
pub mod automations;
pub mod breaker;
pub mod campaigns;
pub mod chats;
pub mod consents;
pub mod context;
pub mod conversions;
pub mod crm_links;
pub mod csv;
pub mod custom_fields;
pub mod days;
pub mod destinations;
pub mod durations;
pub mod emails;
pub mod fields;
pub mod filters;
pub mod fraud;
pub mod identity;
pub mod ids;
pub mod imports;
pub mod inbound;
pub mod merging;
pub mod messaging;
pub mod names;
pub mod networks;
pub mod oauth;
pub mod permissions;
pub mod personal_alerts;
pub mod phones;
pub mod pipelines;
pub mod privacy;
pub mod rank;
pub mod referrers;
pub mod reports;
pub mod retention;
pub mod retry;
pub mod scores;
pub mod sign_in;
pub mod silence;
pub mod tasks;
pub mod templates;
pub mod time;
pub mod timezones;
pub mod totp;
pub mod touches;
pub mod values;
pub mod visits;
pub mod widgets;
pub mod working_time;
