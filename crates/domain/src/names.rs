//! What a lead is called. One without a name is called by its e-mail address, its phone number or its source, so that
//! there is something to show; none of these is a name to score by or to tell to others.

/// The name that somebody gave, where it is one and no stand-in.
#[must_use]
pub fn given<'a>(name: &'a str, source_name: &str) -> Option<&'a str> {
    let name = name.trim();
    let is_address = name.contains('@') && !name.contains(char::is_whitespace);
    let is_number = !name.contains(char::is_alphabetic);
    (!is_address && !is_number && name != source_name.trim()).then_some(name)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(" Ada Lovelace ", Some("Ada Lovelace"))]
    #[case("Ada @ Engines", Some("Ada @ Engines"))]
    #[case("李", Some("李"))]
    #[case("Agent 47", Some("Agent 47"))]
    #[case("Ada@Example.COM", None)]
    #[case("+49 (30) 123456", None)]
    #[case("Website", None)]
    #[case("", None)]
    fn an_address_a_number_and_a_source_are_no_names(#[case] name: &str, #[case] wanted: Option<&str>) {
        assert_eq!(given(name, "Website"), wanted);
    }
}
