//! What it costs a request to find out who its visitor is.

use std::{hint::black_box, net::IpAddr, time::Instant};

use leadline_domain::{
    agents,
    attribution::{TouchParams, complete},
    context::{Context, language_of},
    referrers::classify,
};
use leadline_engine::geo::{Files, Geo};

const ROUNDS: u32 = 50_000;

const USER_AGENT: &str = "Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";

/// Prints microseconds. With `geo_db`, addresses are looked up there as well.
pub fn measure(geo_db: Option<&std::path::Path>) {
    let began = Instant::now();
    agents::warm_up();
    println!("enrichment: patterns of user agents compiled in {} ms, once", began.elapsed().as_millis());
    let touch = complete(TouchParams {
        page_url: Some("https://example.com/viewing?utm_source=google&utm_medium=cpc&gclid=G-1".into()),
        referrer: Some("https://www.google.co.in/search?q=lofts".into()),
        ..TouchParams::default()
    });
    each("user agent", |_| agents::read(black_box(USER_AGENT)));
    each("channel of a visit", |_| classify(black_box(&touch)));
    each("language", |_| language_of(black_box("de-AT,de;q=0.9,en;q=0.8")));
    each("clock and country", |_| black_box(leadline_domain::timezones::is_far("Asia/Tokyo", "AT")));
    if let Some(path) = geo_db {
        let geo = Geo::open(Files { places: Some(path.to_owned()), networks: None });
        each("place of an address", |round| {
            let mut context = Context::default();
            let (location, network) = geo.look_up(IpAddr::from((round * 65_537).to_be_bytes()));
            context.complete(location, network);
            context
        });
    }
    println!();
}

fn each<T>(what: &str, work: impl Fn(u32) -> T) {
    let began = Instant::now();
    for round in 0..ROUNDS {
        black_box(work(round));
    }
    let micros = began.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS);
    println!("  {what:<24} {micros:>8.2} us");
}
