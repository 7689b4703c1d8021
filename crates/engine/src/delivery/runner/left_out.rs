//! What was picked and is not sent, because there is nothing of it that its destination could use.

use leadline_store::deliveries::{Picked, Skipped};

use super::record::hint_of;
use crate::{delivery::payload::NotSent, live::LiveHint};

/// Deliveries of which nothing is sent.
#[derive(Default)]
pub(super) struct LeftOut {
    pub(super) rows: Vec<Skipped>,
    pub(super) hints: Vec<LiveHint>,
}

/// Parts what is sent from what is not.
pub(super) fn part(picked: Vec<Picked>, payloads: Vec<Result<String, NotSent>>) -> (Vec<Picked>, Vec<String>, LeftOut) {
    let (mut sent, mut bodies, mut left_out) = (Vec::new(), Vec::new(), LeftOut::default());
    for (one, payload) in picked.into_iter().zip(payloads) {
        match payload {
            Ok(payload) => {
                sent.push(one);
                bodies.push(payload);
            }
            Err(NotSent { reason }) => {
                left_out.hints.push(hint_of("delivery.skipped", &one));
                left_out.rows.push(Skipped { id: one.id, reason });
            }
        }
    }
    left_out.rows.sort_by_key(|row| row.id);
    (sent, bodies, left_out)
}
