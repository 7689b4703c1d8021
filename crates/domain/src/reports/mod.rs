//! What leads add up to: figures of a period, beside those of the one before it.
//!
//! A report is about the leads that came in a period, and says what became of them since: so each lead is counted in
//! one period, and the figures of a period agree with each other. What is asked of leads is read as narrow facts
//! ([`facts`]), packed by days where they are very many ([`packing`]), and counted here, whatever the report. How facts
//! are fetched is the store's business.

pub mod counts;
pub mod facts;
pub mod figures;
pub mod funnel;
pub mod packing;
pub mod period;

pub use counts::{Both, By, Distribution, Group, Groups, Intervals, Reasons, When};
pub use facts::{Filter, From, LeadFact, Name, Names, Owner, Stay};
pub use figures::{Figures, Outcome, Stages, Tally, share};
pub use funnel::{Counts, Funnel, Step};
pub use period::{Bucket, Comparison, Interval, Period, PeriodFault, Span, Wish};
