//! What is answered over HTTP: administration, guards, errors, headers, files.

mod analysis;
mod browser;
mod chats;
mod context;
mod destinations;
mod errors;
mod files;
mod form_tokens;
mod formats;
mod fraud;
mod guards;
mod inbound;
mod isolation;
mod leads;
mod ledger;
mod rules;
mod scoring;
mod sessions;
mod templates;
mod tokens;
mod users;
mod visits;
mod ways_in;
mod whatconverts;
mod widgets;
mod workspace;
