//! How keys are written down: in the key file, and in the variable that stands for it.
//!
//! Either 32 bytes in base64, from which all keys are derived; or, since the first rotation, each key by itself:
//! `identity:…`, `seal:…` and, while a rotation is under way, `before:…`. Lines or commas part them. What was dropped
//! cannot be derived from what is left: the secret from before a rotation does not stand in the file any more.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::Keys;

impl Keys {
    /// Reads keys as they are written down.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(secret) = decode(text.trim()) {
            return Some(Self::derive(&secret));
        }
        let (mut identity, mut seal, mut before) = (None, None, None);
        for part in text.split([',', '\n', '\r', ' ', '\t']).filter(|part| !part.is_empty()) {
            let (name, encoded) = part.split_once(':')?;
            let slot = match name {
                "identity" => &mut identity,
                "seal" => &mut seal,
                "before" => &mut before,
                _ => return None,
            };
            if slot.replace(decode(encoded)?).is_some() {
                return None;
            }
        }
        Some(Self { identity: identity?, seal: seal?, before })
    }

    /// The keys each by itself, parted by `separator`. It is a secret: it belongs into the key file or before the
    /// operator's eyes, and nowhere else.
    #[must_use]
    pub fn write_down(&self, separator: &str) -> String {
        let mut parts = vec![("identity", self.identity), ("seal", self.seal)];
        parts.extend(self.before.map(|before| ("before", before)));
        let parts: Vec<String> =
            parts.into_iter().map(|(name, key)| format!("{name}:{}", STANDARD.encode(key))).collect();
        parts.join(separator)
    }
}

fn decode(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    #[test]
    fn keys_read_as_they_were_written_down() {
        let once = Keys::derive(&[1; 32]);
        let under_way = once.rotated();

        for keys in [&once, &under_way, &under_way.after_rotation()] {
            assert_eq!(Keys::parse(&keys.write_down(",")).as_ref(), Some(keys));
            assert_eq!(Keys::parse(&format!("{}\n", keys.write_down("\n"))).as_ref(), Some(keys));
        }
        assert_eq!(Keys::parse(&format!(" {KEY}\n")), Some(Keys::derive(&std::array::from_fn(|n| n as u8))));
    }

    #[rstest]
    #[case::nothing("")]
    #[case::short("c2hvcnQ=")]
    #[case::two_secrets(&format!("{KEY} {KEY}"))]
    #[case::no_sealing_key(&format!("identity:{KEY}"))]
    #[case::no_identity_key(&format!("seal:{KEY}"))]
    #[case::a_short_one(&format!("identity:{KEY},seal:c2hvcnQ="))]
    #[case::one_twice(&format!("identity:{KEY},seal:{KEY},seal:{KEY}"))]
    #[case::an_unknown_one(&format!("identity:{KEY},seal:{KEY},more:{KEY}"))]
    fn what_is_no_key_is_refused(#[case] text: &str) {
        assert_eq!(Keys::parse(text), None);
    }

    #[test]
    fn the_secret_from_before_a_rotation_is_not_among_the_keys_after_it() {
        let after = Keys::derive(&[1; 32]).rotated().after_rotation().write_down("\n");

        let old = Keys::derive(&[1; 32]);
        assert!(!after.contains(&STANDARD.encode([1; 32])) && !after.contains(&STANDARD.encode(old.seal)));
        assert_eq!(after.lines().count(), 2);
    }
}
