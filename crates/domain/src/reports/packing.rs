//! Facts of very many leads in few bytes: about forty for each, and quick to read.
//!
//! A pack has the names that its leads share, then the leads. Whole numbers are written seven bits at a time, the least
//! first; times as what lies between them. What is not a pack, or a newer one, reads as none, and facts are read from
//! the leads themselves.

use uuid::Uuid;

use super::facts::{LeadFact, Name, NameNumber, Names, Stay};

/// The way of packing, which stands in front.
const VERSION: u8 = 1;

/// What stands before a name: whether it is an id or a text.
const ID: u8 = 0;
const TEXT: u8 = 1;

/// Packs facts, with those names that they use.
#[must_use]
pub fn pack(leads: &[LeadFact], names: &Names) -> Vec<u8> {
    let mut own = Names::default();
    let mut rows = Vec::new();
    let mut time = 0;
    for lead in leads {
        write_lead(&mut rows, lead, &mut time, &mut |number| match names.get(number) {
            Some(name) => own.number(name.clone()),
            None => 0,
        });
    }
    let mut bytes = vec![VERSION];
    write(&mut bytes, own.all().len() as u64);
    for name in own.all() {
        match name {
            Name::Id(id) => {
                bytes.push(ID);
                bytes.extend_from_slice(id.as_bytes());
            }
            Name::Text(text) => {
                bytes.push(TEXT);
                write(&mut bytes, text.len() as u64);
                bytes.extend_from_slice(text.as_bytes());
            }
        }
    }
    write(&mut bytes, leads.len() as u64);
    bytes.extend(rows);
    bytes
}

/// The facts of a pack, by the numbers of `names`; `None` where it is none.
#[must_use]
pub fn unpack(bytes: &[u8], names: &mut Names) -> Option<Vec<LeadFact>> {
    let mut read = Reading { bytes };
    if read.byte()? != VERSION {
        return None;
    }
    let count = read.number()?;
    let mut own: Vec<NameNumber> = vec![0];
    for _ in 0..count {
        let name = match read.byte()? {
            ID => Name::Id(Uuid::from_slice(read.take(16)?).ok()?),
            TEXT => {
                let length = usize::try_from(read.number()?).ok()?;
                Name::Text(std::str::from_utf8(read.take(length)?).ok()?.to_owned())
            }
            _ => return None,
        };
        own.push(names.number(name));
    }
    let count = read.number()?;
    // A lead takes fifteen bytes at least, so a count that is not true reserves no more than the pack is long.
    let mut leads = Vec::with_capacity(usize::try_from(count).ok()?.min(bytes.len()));
    let mut time = 0;
    for _ in 0..count {
        leads.push(read.lead(&own, &mut time)?);
    }
    read.bytes.is_empty().then_some(leads)
}

fn write_lead(bytes: &mut Vec<u8>, lead: &LeadFact, time: &mut i64, own: &mut impl FnMut(NameNumber) -> NameNumber) {
    write_signed(bytes, lead.created_at - *time);
    *time = lead.created_at;
    write_signed(bytes, lead.stage_entered_at - lead.created_at);
    let [source, medium, campaign] = lead.campaign;
    for number in [
        lead.project,
        lead.pipeline,
        lead.stage,
        lead.owner,
        lead.source_kind,
        lead.source,
        lead.channel,
        source,
        medium,
        campaign,
        lead.close_reason,
    ] {
        write(bytes, u64::from(own(number)));
    }
    write_maybe(bytes, lead.responded_at.map(|at| at - lead.created_at));
    write_maybe(bytes, lead.quote_milli);
    write_maybe(bytes, lead.sales_milli);
    write(bytes, lead.stays.len() as u64);
    for stay in &lead.stays {
        write(bytes, u64::from(own(stay.stage)));
        write_signed(bytes, stay.ms);
    }
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Small numbers take few bytes, whichever their sign.
fn write_signed(bytes: &mut Vec<u8>, number: i64) {
    write(bytes, (number.cast_unsigned() << 1) ^ (number >> 63).cast_unsigned());
}

fn write_maybe(bytes: &mut Vec<u8>, number: Option<i64>) {
    match number {
        None => write(bytes, 0),
        Some(number) => {
            write(bytes, 1);
            write_signed(bytes, number);
        }
    }
}

struct Reading<'a> {
    bytes: &'a [u8],
}

impl<'a> Reading<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn maybe(&mut self) -> Option<Option<i64>> {
        match self.number()? {
            0 => Some(None),
            _ => self.signed().map(Some),
        }
    }

    fn name(&mut self, own: &[NameNumber]) -> Option<NameNumber> {
        own.get(usize::try_from(self.number()?).ok()?).copied()
    }

    fn lead(&mut self, own: &[NameNumber], time: &mut i64) -> Option<LeadFact> {
        let created_at = time.checked_add(self.signed()?)?;
        *time = created_at;
        let stage_entered_at = created_at.checked_add(self.signed()?)?;
        let mut name = || self.name(own);
        let mut lead = LeadFact {
            created_at,
            stage_entered_at,
            project: name()?,
            pipeline: name()?,
            stage: name()?,
            owner: name()?,
            source_kind: name()?,
            source: name()?,
            channel: name()?,
            campaign: [name()?, name()?, name()?],
            close_reason: name()?,
            ..LeadFact::default()
        };
        lead.responded_at = match self.maybe()? {
            None => None,
            Some(after) => Some(created_at.checked_add(after)?),
        };
        lead.quote_milli = self.maybe()?;
        lead.sales_milli = self.maybe()?;
        let stays = usize::try_from(self.number()?).ok()?;
        lead.stays.reserve_exact(stays.min(self.bytes.len()));
        for _ in 0..stays {
            lead.stays.push(Stay { stage: self.name(own)?, ms: self.signed()? });
        }
        Some(lead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (Names, Vec<LeadFact>) {
        let mut names = Names::default();
        let [project, pipeline, stage, owner] = [1, 2, 3, 4].map(|n| names.id(Some(Uuid::from_u128(n))));
        let [kind, campaign, reason] =
            ["form", "Frühling 🌱", "no budget"].map(|text| names.text(Some(text.to_owned())));
        let at = 1_767_614_400_000;
        let bare = LeadFact { created_at: at, stage_entered_at: at, project, pipeline, stage, ..LeadFact::default() };
        let full = LeadFact {
            created_at: at + 77,
            stage_entered_at: at - 5,
            owner,
            source_kind: kind,
            campaign: [kind, 0, campaign],
            close_reason: reason,
            responded_at: Some(at + 200),
            quote_milli: Some(0),
            sales_milli: Some(999_999_999_999_999),
            stays: vec![Stay { stage, ms: 0 }, Stay { stage: pipeline, ms: 86_400_000 }],
            ..bare.clone()
        };
        let early = LeadFact { created_at: 5, stage_entered_at: i64::from(i32::MIN), ..bare.clone() };
        (names, vec![bare, full, early])
    }

    #[test]
    fn what_was_packed_is_unpacked_by_the_names_of_whoever_asks() {
        let (names, leads) = world();

        let packed = pack(&leads, &names);

        let mut same = names.clone();
        assert_eq!(unpack(&packed, &mut same), Some(leads.clone()));
        let mut other = Names::default();
        other.text(Some("something else".to_owned()));
        let unpacked = unpack(&packed, &mut other).expect("a pack");
        assert_eq!(other.text_of(unpacked[1].campaign[2]), Some("Frühling 🌱"));
        assert_eq!(other.id_of(unpacked[0].stage), Some(Uuid::from_u128(3)));
    }

    #[test]
    fn a_lead_takes_few_bytes() {
        let (names, leads) = world();
        let many: Vec<LeadFact> = (0..1_000).map(|n| LeadFact { created_at: n * 31_000, ..leads[1].clone() }).collect();

        assert!(pack(&many, &names).len() < 60_000, "{}", pack(&many, &names).len());
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_no_pack() {
        let (names, leads) = world();
        let packed = pack(&leads, &names);

        for length in 0..packed.len() {
            assert_eq!(unpack(&packed[..length], &mut Names::default()), None, "{length} bytes");
        }
        let longer = [packed.as_slice(), &[0]].concat();
        assert_eq!(unpack(&longer, &mut Names::default()), None);
        for place in 0..packed.len() {
            let mut damaged = packed.clone();
            damaged[place] ^= 0xff;
            // It may read as something else, and never ends the process.
            let _anything = unpack(&damaged, &mut Names::default());
        }
    }
}
