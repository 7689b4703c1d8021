//! In which language a message is written.
//!
//! Messages of forms are short, where guessing by letters is often wrong. So ordinary words decide where there are
//! enough of them, then the guess by letters where it is sure.

use whatlang::Lang;

use super::lexicon::{self, Lexicon};

/// Ordinary words that settle a language by themselves.
const ENOUGH: usize = 3;

/// What is known of a message's language.
pub(super) struct Spoken {
    /// ISO 639-1, or 639-3 where that has none; `None` where nobody can tell.
    pub code: Option<&'static str>,
    /// Whose words it may hold.
    pub lexicons: Vec<&'static Lexicon>,
}

pub(super) fn of(text: &str, words: &[String]) -> Spoken {
    let mut counts: Vec<(usize, &'static Lexicon)> = lexicon::all()
        .iter()
        .map(|lexicon| (words.iter().filter(|word| lexicon.common.contains(word)).count(), lexicon))
        .collect();
    counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let [(most, first), (next, _), ..] = counts[..] else { return spoken(None) };
    if most >= ENOUGH && most >= next * 2 {
        return spoken(Some(first));
    }
    let guess = whatlang::detect(text).filter(whatlang::Info::is_reliable);
    match guess.map(|guess| guess.lang()) {
        Some(lang) => match lexicon::all().iter().find(|lexicon| lexicon.code == code(lang)) {
            Some(lexicon) => spoken(Some(lexicon)),
            None => Spoken { code: Some(code(lang)), lexicons: Vec::new() },
        },
        None if most > next => spoken(Some(first)),
        None => spoken(None),
    }
}

/// A message of nobody knows which language may hold words of any.
fn spoken(lexicon: Option<&'static Lexicon>) -> Spoken {
    Spoken {
        code: lexicon.map(|lexicon| lexicon.code),
        lexicons: lexicon.map_or_else(|| lexicon::all().iter().collect(), |lexicon| vec![lexicon]),
    }
}

fn code(lang: Lang) -> &'static str {
    match lang {
        Lang::Eng => "en",
        Lang::Deu => "de",
        Lang::Spa => "es",
        Lang::Fra => "fr",
        Lang::Por => "pt",
        Lang::Hin => "hi",
        Lang::Ita => "it",
        Lang::Nld => "nl",
        Lang::Pol => "pl",
        Lang::Tur => "tr",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Ara => "ar",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "no",
        Lang::Fin => "fi",
        Lang::Ces => "cs",
        Lang::Ron => "ro",
        Lang::Hun => "hu",
        Lang::Ell => "el",
        other => other.code(),
    }
}
