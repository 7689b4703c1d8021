//! Addresses of databases as they may be shown: without passwords.

use url::Url;

/// What stands in the place of a password.
const HIDDEN: &str = "***";

/// An address without what only those may know who connect to it.
pub(crate) fn shown(address: &str) -> String {
    if let Some(file) = address.strip_prefix("sqlite:") {
        let file = file.split('?').next().unwrap_or_default();
        return file.strip_prefix("//").unwrap_or(file).to_owned();
    }
    let Ok(mut url) = Url::parse(address) else { return "the given address".to_owned() };
    // A password may be among the options, too.
    url.set_query(None);
    url.set_fragment(None);
    if url.password().is_some() && url.set_password(None).is_err() {
        return "the given address".to_owned();
    }
    url.to_string()
}

/// What some library says of an address, without its password: not all of them keep it to themselves.
pub(crate) fn hidden(text: &str) -> String {
    let mut known: Vec<String> = std::env::args().collect();
    known.extend(["LEADLINE_DATABASE_URL", "LEADLINE_MOVE_TO"].into_iter().filter_map(|name| std::env::var(name).ok()));
    // Those of the file are known by how they look.
    let looks_so = text.split(['\'', '"', '`']).flat_map(str::split_whitespace).filter(|word| word.contains("://"));
    known.extend(looks_so.map(str::to_owned));
    without_passwords(text, &known)
}

/// A text in which no password of an address among these arguments stands.
pub(crate) fn without_passwords(text: &str, arguments: &[String]) -> String {
    let mut text = text.to_owned();
    for argument in arguments {
        let Some((_, rest)) = argument.split_once("://") else { continue };
        // As the driver reads it: up to the last sign before the path. A password with a slash in it is no address, and
        // is hidden all the same.
        for rest in [rest, rest.split(['/', '?']).next().unwrap_or(rest)] {
            let Some((person, _)) = rest.rsplit_once('@') else { continue };
            let Some((_, password)) = person.split_once(':') else { continue };
            if !password.is_empty() {
                text = text.replace(&format!(":{password}@"), &format!(":{HIDDEN}@"));
            }
        }
        for option in rest.split(['?', '&']).skip(1) {
            if let Some(password) = option.strip_prefix("password=").filter(|password| !password.is_empty()) {
                text = text.replace(&format!("password={password}"), &format!("password={HIDDEN}"));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        assert_eq!(
            shown("postgres://ann:p%40ss@db.example:5433/leads?password=x"),
            "postgres://ann@db.example:5433/leads"
        );
        assert_eq!(shown("postgres://db/leads"), "postgres://db/leads");
        assert_eq!(shown("sqlite:///data/leadline.db?mode=rwc"), "/data/leadline.db");
        assert_eq!(shown("postgres://ann:p ss@[db"), "the given address");
    }

    #[test]
    fn what_a_library_repeats_has_no_password_in_it() {
        assert_eq!(
            hidden("The connection string 'postgres://a:b@c:99999/d?password=e' cannot be parsed."),
            "The connection string 'postgres://a:***@c:99999/d?password=***' cannot be parsed."
        );
    }

    #[test]
    fn what_clap_repeats_has_no_password_in_it() {
        let said = |argument: &str| {
            let arguments = ["leadline".to_owned(), "move".to_owned(), argument.to_owned()];
            without_passwords(&format!("error: unexpected argument '{argument}' found"), &arguments)
        };

        assert_eq!(said("postgres://a:b@c/d"), "error: unexpected argument 'postgres://a:***@c/d' found");
        assert_eq!(said("--tp=postgres://a:b@b@c/d"), "error: unexpected argument '--tp=postgres://a:***@c/d' found");
        assert!(!said("postgres://a:se/cret@c/d").contains("se/cret"));
        assert_eq!(said("postgres://c/d?password=b"), "error: unexpected argument 'postgres://c/d?password=***' found");
        assert_eq!(said("postgres://a@c/d"), "error: unexpected argument 'postgres://a@c/d' found");
    }
}
