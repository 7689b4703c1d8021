//! Words for believable leads. Domains and numbers are those set aside for examples and drama.

pub(crate) const FIRST_NAMES: [&str; 40] = [
    "Amelia", "Noah", "Priya", "Lukas", "Sofia", "Mateo", "Hannah", "Omar", "Chloe", "Yuki", "Daniel", "Elif", "Grace",
    "Viktor", "Zainab", "Oliver", "Mina", "Samuel", "Ingrid", "Kofi", "Laura", "Arjun", "Emma", "Pavel", "Nadia",
    "Henrik", "Aisha", "Thomas", "Camille", "Bruno", "Freya", "Tariq", "Julia", "Marek", "Leila", "Patrick", "Rosa",
    "Simon", "Anouk", "Diego",
];

pub(crate) const LAST_NAMES: [&str; 40] = [
    "Hart", "Okonkwo", "Sharma", "Weber", "Rossi", "Alvarez", "Nilsson", "Haddad", "Bennett", "Tanaka", "Murphy",
    "Yilmaz", "Adeyemi", "Novak", "Rahman", "Clarke", "Fischer", "Osei", "Larsen", "Moreau", "Patel", "Silva",
    "Kowalski", "Jensen", "Walsh", "Khan", "Dubois", "Ferreira", "Berg", "Price", "Marin", "Lindgren", "Costa",
    "Schmidt", "Farouk", "Reed", "Vega", "Holm", "Ito", "Brandt",
];

pub(crate) const COMPANIES: [&str; 24] = [
    "Northlight Studio",
    "Brightpath Legal",
    "Copper & Pine",
    "Atlas Freight",
    "Juniper Health",
    "Quayside Bakery",
    "Fernhill Architects",
    "Blue Anchor Media",
    "Oakridge Dental",
    "Silverline Software",
    "Marlow Advisory",
    "Redwood Fitness",
    "Harlequin Events",
    "Kestrel Logistics",
    "Lumen Optics",
    "Tidewater Insurance",
    "Orchard Accounting",
    "Foxglove Design",
    "Granite Works",
    "Willow Veterinary",
    "Beacon Tutors",
    "Summit Travel",
    "Cedar Catering",
    "Pinnacle Roofing",
];

pub(crate) const TITLES: [&str; 8] = [
    "Managing Director",
    "Office Manager",
    "Head of Operations",
    "Founder",
    "Partner",
    "Finance Lead",
    "Consultant",
    "Practice Owner",
];

pub(crate) const MESSAGES: [&str; 14] = [
    "We are looking for a two-bedroom loft with a view of the water. Could we come by on Saturday?",
    "Is the corner unit on the fourth floor still free? We would like to move in March.",
    "Please send me the floor plans and the service charge for the larger lofts.",
    "I saw the listing on the portal. Is there parking for two cars?",
    "We run a small studio and would need a place to live and work. Which units allow that?",
    "Could you tell me whether pets are allowed? We have an elderly dog.",
    "My budget is around 450 thousand. What would you suggest?",
    "We visited last year and would like to see the finished building.",
    "What is the earliest date for a viewing in the evening?",
    "I am relocating for work and can only do a video call this month.",
    "Is the building accessible by wheelchair, including the roof terrace?",
    "Please call me after five, I am in meetings before.",
    "We would like to compare a purchase with a long lease.",
    "Do you offer storage rooms in the basement?",
];

pub(crate) const NOTES: [&str; 10] = [
    "Called, no answer. Try again tomorrow morning.",
    "Very interested, wants to see units 4B and 5A.",
    "Sent the brochure and the floor plans.",
    "Viewing agreed for Thursday at 18:00.",
    "Asked the bank for a letter of intent.",
    "Prefers e-mail over phone.",
    "Decision after the holidays.",
    "Brings the partner to the second viewing.",
    "Asked for a discount on the parking space.",
    "Contract draft is with their solicitor.",
];

pub(crate) const TAGS: [&str; 7] = ["hot", "investor", "first-time buyer", "relocation", "pets", "parking", "lease"];

/// Source, medium, campaign and referrer of a visit.
pub(crate) const CAMPAIGNS: [(&str, &str, &str, &str); 6] = [
    ("google", "cpc", "lofts-spring", "https://www.google.com/"),
    ("facebook", "paid_social", "harbour-video", "https://www.facebook.com/"),
    ("newsletter", "email", "open-house", ""),
    ("instagram", "social", "", "https://www.instagram.com/"),
    ("", "", "", "https://www.bing.com/"),
    ("", "", "", ""),
];
