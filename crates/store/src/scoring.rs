//! What leads are scored by, and what became of their scores: versions of weights, re-scores, history.

pub mod history;
pub mod jobs;
pub mod leads;
pub mod versions;
