//! What receivers do with real deliveries: the files of docs/receivers.

mod kit;
mod recorded;
