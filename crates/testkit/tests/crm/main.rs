//! Leads once they are in, on both databases: changing them, finding them, the board, the pipelines.

mod board;
mod bulk;
mod changes;
mod fixtures;
mod jobs;
mod merging;
mod pipelines;
mod search;
mod splitting;
mod stays;
