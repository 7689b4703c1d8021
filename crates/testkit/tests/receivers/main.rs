//! What receivers do with real deliveries: the files of docs/receivers, and the official Standard Webhooks packages.

mod kit;
mod packages;
mod recorded;
