//! Domains of throwaway mailboxes.
//!
//! `disposable.txt` is the blocklist of the project disposable-email-domains (CC0 1.0), as of August 2026: one domain
//! on a line, in the order of their bytes. It only ever labels; nobody is refused for it.

use std::sync::LazyLock;

static DOMAINS: LazyLock<Vec<&str>> = LazyLock::new(|| include_str!("disposable.txt").lines().collect());

/// Whether the domain, or one above it, is on the list.
pub(super) fn is_listed(domain: &str) -> bool {
    let is_on_it = |domain: &str| DOMAINS.binary_search(&domain).is_ok();
    let above = domain.match_indices('.').map(|(dot, _)| &domain[dot + 1..]);
    is_on_it(domain) || above.into_iter().any(is_on_it)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn the_list_is_in_the_order_that_the_search_needs() {
        assert!(DOMAINS.is_sorted());
        assert!(DOMAINS.len() > 8_000);
    }

    #[rstest]
    #[case("mailinator.com", true)]
    #[case("inbox.mailinator.com", true)]
    #[case("mailinator.com.example", false)]
    #[case("gmail.com", false)]
    #[case("com", false)]
    fn a_domain_and_what_is_below_it_is_found(#[case] domain: &str, #[case] expected: bool) {
        assert_eq!(is_listed(domain), expected);
    }
}
