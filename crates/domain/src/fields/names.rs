//! What the names of fields mean.
//!
//! Names are compared in lower case and without anything but letters and digits, so `First_Name`, `first-name` and
//! `firstName` are one name. How sure a name is decides between several fields for one slot: see [`Fit`].

/// A place that a field can fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Name,
    FirstName,
    LastName,
    Email,
    Phone,
    CountryCode,
    Company,
    Title,
    Message,
    Project,
    Location,
    Team,
    Cta,
    PageUrl,
    Referrer,
}

/// How many slots there are.
pub(super) const SLOTS: usize = Slot::Referrer as usize + 1;

/// How well a field fits its slot, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// The source's own mapping says so.
    Mapped,
    /// The name says so.
    Exact,
    /// The name says so with something around it: `email2`, `work_email`.
    Similar,
    /// Nested in something that stands for the person or the form.
    InPerson,
    /// Nested in something else.
    Nested,
    /// The name hints at it and the value looks like it.
    Guessed,
}

/// `First-Name ` → `firstname`.
pub(super) fn normalise(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The parts of a nested name, whatever separates them: `contact.email`, `contact[email]`, `contact__email`.
pub(super) fn segments(path: &str) -> Vec<String> {
    let leading = path.len() - path.trim_start_matches('_').len();
    let (start, rest) = path.split_at(leading);
    format!("{start}{}", rest.replace("__", "."))
        .split(['.', '[', ']'])
        .filter(|segment| !segment.is_empty())
        .map(|segment| normalise(without_question_number(segment)))
        .filter(|segment| !segment.is_empty())
        .collect()
}

/// Some form builders put the number of the question first: `q4_email`.
fn without_question_number(segment: &str) -> &str {
    let Some(rest) = segment.strip_prefix('q') else { return segment };
    let after_digits = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
    if after_digits.len() == rest.len() {
        return segment;
    }
    after_digits.strip_prefix('_').filter(|name| !name.is_empty()).unwrap_or(segment)
}

/// The slot of a field that is not nested.
pub(super) fn slot_of(normalised: &str) -> Option<(Slot, Fit)> {
    if let Some(slot) = exact_slot(normalised) {
        return Some((slot, Fit::Exact));
    }
    let bare = normalised.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let slot = exact_slot(bare).filter(|slot| takes_numbers(*slot)).or_else(|| slot_after_prefix(bare))?;
    Some((slot, Fit::Similar))
}

/// The slot of a nested field, by the last parts of its name.
pub(super) fn nested_slot_of(segments: &[String]) -> Option<(Slot, Fit)> {
    let end = segments.iter().rposition(|segment| !is_wrapper(segment))?;
    let (last, parents) = segments[..=end].split_last()?;
    if parents.is_empty() {
        return slot_of(last).map(|(slot, fit)| (slot, fit.max(Fit::InPerson)));
    }
    if parents.iter().any(|parent| SOMEBODY_ELSE.contains(&parent.as_str())) {
        return None;
    }
    let parent = parents.last().map_or("", String::as_str);
    if let Some(slot) = exact_slot(&format!("{parent}{last}")) {
        return Some((slot, Fit::InPerson));
    }
    let (slot, _) = slot_of(last)?;
    if is_person(parents) {
        return Some((slot, Fit::InPerson));
    }
    // Much has a name, a title or a message; an e-mail address or a first name is a person's.
    let is_telling = match slot {
        Slot::Email | Slot::Phone | Slot::FirstName | Slot::LastName | Slot::Referrer => true,
        Slot::Name => last != "name",
        Slot::PageUrl => last != "url" && last != "page",
        Slot::CountryCode
        | Slot::Company
        | Slot::Title
        | Slot::Message
        | Slot::Project
        | Slot::Location
        | Slot::Team
        | Slot::Cta => false,
    };
    is_telling.then_some((slot, Fit::Nested))
}

/// The slot that a source's mapping names.
pub(super) fn mapped_slot(target: &str) -> Option<Slot> {
    exact_slot(&normalise(target))
}

/// What a name hints at, for fields that nothing else explains.
pub(super) fn hinted_slot(segments: &[String]) -> Option<Slot> {
    let name = segments.concat();
    if SOMEBODY_ELSE.iter().any(|other| name.contains(other)) {
        return None;
    }
    if name.contains("mail") || name.contains("correo") {
        return Some(Slot::Email);
    }
    let hints = ["phone", "mobile", "telefon", "teléfono", "whatsapp", "handy", "cellular"];
    hints.iter().any(|hint| name.contains(hint)).then_some(Slot::Phone)
}

fn exact_slot(normalised: &str) -> Option<Slot> {
    let slot = match normalised {
        "name" | "fullname" | "contactname" | "contactperson" | "customername" | "clientname" | "leadname"
        | "personname" | "visitorname" | "yourname" | "yourfullname" | "completename" | "nombre" | "nombrecompleto"
        | "vollständigername" | "nomcomplet" => Slot::Name,
        "firstname" | "fname" | "givenname" | "forename" | "namefirst" | "vorname" | "prénom" | "prenom"
        | "yourfirstname" => Slot::FirstName,
        "lastname" | "lname" | "surname" | "familyname" | "namelast" | "nachname" | "apellido" | "apellidos"
        | "nomdefamille" | "yourlastname" => Slot::LastName,
        "email" | "emailaddress" | "mail" | "mailaddress" | "youremail" | "emails" | "correo" | "correoelectrónico"
        | "correoelectronico" | "courriel" | "emailadresse" | "mailadresse" => Slot::Email,
        "phone" | "phonenumber" | "phonemobile" | "phoneno" | "phones" | "phonenumbers" | "telephone"
        | "telephonenumber" | "tel" | "telno" | "telnumber" | "mobile" | "mobilenumber" | "mobileno"
        | "mobilephone" | "cell" | "cellphone" | "cellnumber" | "whatsapp" | "whatsappnumber" | "whatsappno"
        | "whatsappphone" | "contactnumber" | "contactno" | "yourphone" | "phonework" | "phonehome" | "telefon"
        | "telefonnummer" | "handy" | "handynummer" | "téléphone" | "teléfono" | "telefono" => Slot::Phone,
        "countrycode" | "phonecountrycode" | "phonecountry" | "dialcode" | "callingcode" | "phonecode" => {
            Slot::CountryCode
        }
        "company" | "companyname" | "organisation" | "organization" | "organisationname" | "organizationname"
        | "business" | "businessname" | "firm" | "firmname" | "firma" | "unternehmen" | "empresa" | "entreprise"
        | "société" => Slot::Company,
        "title" => Slot::Title,
        "message" | "messagetext" | "messagebody" | "msg" | "comment" | "comments" | "enquiry" | "inquiry"
        | "description" | "question" | "questions" | "notes" | "nachricht" | "mensaje" | "anfrage" | "yourmessage"
        | "yourcomment" | "yourquestion" => Slot::Message,
        "project" | "projectname" => Slot::Project,
        "location" | "userlocation" => Slot::Location,
        "team" | "teamname" | "sourceteam" => Slot::Team,
        "cta" | "ctaname" | "ctatext" | "ctabutton" | "button" | "buttontext" => Slot::Cta,
        "pageurl" | "page" | "url" | "currenturl" | "sourceurl" => Slot::PageUrl,
        "referrer" | "referer" | "referrerurl" | "refererurl" | "httpreferrer" | "httpreferer" | "referedby"
        | "referredby" => Slot::Referrer,
        _ => return None,
    };
    Some(slot)
}

fn takes_numbers(slot: Slot) -> bool {
    matches!(slot, Slot::Name | Slot::Email | Slot::Phone | Slot::Message)
}

/// `work_email`, `customer-phone`, `your company`.
fn slot_after_prefix(normalised: &str) -> Option<Slot> {
    const THE_LEADS: [&str; 9] = ["sender", "your", "contact", "customer", "client", "lead", "visitor", "person", "my"];
    const ADDRESSES: [&str; 12] = [
        "user", "work", "business", "company", "primary", "main", "personal", "home", "input", "field", "form",
        "office",
    ];
    let after = |prefixes: &[&str]| prefixes.iter().find_map(|prefix| exact_slot(normalised.strip_prefix(prefix)?));
    let of_the_lead = after(&THE_LEADS).filter(|slot| {
        matches!(
            slot,
            Slot::Name | Slot::FirstName | Slot::LastName | Slot::Email | Slot::Phone | Slot::Company | Slot::Message
        )
    });
    of_the_lead.or_else(|| after(&ADDRESSES).filter(|slot| matches!(slot, Slot::Email | Slot::Phone)))
}

/// Parts of a name that only wrap a value: `emails.0.value`.
fn is_wrapper(segment: &str) -> bool {
    matches!(segment, "value" | "values" | "rawvalue" | "raw" | "full" | "text" | "answer")
        || segment.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_person(parents: &[String]) -> bool {
    const PERSONS: [&str; 27] = [
        "answers",
        "applicant",
        "attributes",
        "body",
        "client",
        "contact",
        "customer",
        "data",
        "entry",
        "field",
        "fields",
        "formdata",
        "formfields",
        "inputs",
        "lead",
        "payloaddata",
        "person",
        "profile",
        "properties",
        "rawrequest",
        "record",
        "response",
        "sender",
        "submission",
        "user",
        "values",
        "visitor",
    ];
    const PEOPLE: [&str; 6] = ["clients", "contacts", "customers", "leads", "people", "users"];
    match parents {
        [.., people, index] if index.bytes().all(|byte| byte.is_ascii_digit()) => PEOPLE.contains(&people.as_str()),
        [.., parent] => PERSONS.contains(&parent.as_str()),
        [] => false,
    }
}

/// Whose addresses are not the lead's.
const SOMEBODY_ELSE: [&str; 13] = [
    "agent",
    "assignee",
    "friend",
    "host",
    "manager",
    "organiser",
    "organizer",
    "owner",
    "recipient",
    "referral",
    "referrer",
    "salesperson",
    "staff",
];
