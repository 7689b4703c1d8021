use std::collections::BTreeMap;

use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::attribution::TouchParams;

fn touch(at: i64, ids: &[(&str, &str)]) -> Touch {
    let click_ids: BTreeMap<_, _> = ids.iter().map(|(name, id)| ((*name).to_owned(), (*id).to_owned())).collect();
    Touch { at: Timestamp(at), params: TouchParams { click_ids, ..TouchParams::default() } }
}

fn stage(number: u128) -> StageId {
    StageId(Uuid::from_u128(number))
}

fn goal(on: Step, stage_id: Option<StageId>) -> Goal {
    Goal { on, stage_id, name: "Sale".to_owned(), conversion_action: None, value: None, currency: None }
}

#[rstest]
#[case::one(&[("gclid", "A")], Some(("gclid", "A")))]
#[case::gclid_before_the_others(&[("wbraid", "C"), ("gbraid", "B"), ("gclid", "A")], Some(("gclid", "A")))]
#[case::gbraid_before_wbraid(&[("wbraid", "C"), ("gbraid", "B")], Some(("gbraid", "B")))]
#[case::wbraid(&[("wbraid", "C")], Some(("wbraid", "C")))]
#[case::a_formula(&[("gclid", "=1+1")], None)]
#[case::blanks(&[("gclid", "A B")], None)]
#[case::empty(&[("gclid", "")], None)]
#[case::somebody_elses(&[("msclkid", "A")], None)]
fn google_gets_one_id_of_a_click(#[case] ids: &[(&str, &str)], #[case] wanted: Option<(&str, &str)>) {
    let touches = [touch(1, ids)];

    assert_eq!(GoogleClick::latest(&touches).map(GoogleClick::named), wanted);
}

#[test]
fn the_latest_click_counts_and_a_visit_without_one_takes_nothing_away() {
    let touches = [touch(3, &[]), touch(1, &[("gclid", "old")]), touch(2, &[("wbraid", "new")])];

    assert_eq!(GoogleClick::latest(&touches), Some(GoogleClick::Wbraid("new")));
}

#[rstest]
#[case::cookies(&[("fbc", "fb.1.2.X"), ("fbp", "fb.1.2.3"), ("fbclid", "Y")], Some("fb.1.2.X"), Some("fb.1.2.3"))]
#[case::built(&[("fbclid", "IwAR_x-1")], Some("fb.1.7.IwAR_x-1"), None)]
#[case::no_cookies(&[("fbc", "X"), ("fbp", "<b>")], None, None)]
fn meta_gets_its_cookies_or_what_they_would_hold(
    #[case] ids: &[(&str, &str)],
    #[case] fbc: Option<&str>,
    #[case] fbp: Option<&str>,
) {
    let click = MetaClick::latest(&[touch(7, ids)]);

    assert_eq!((click.fbc.as_deref(), click.fbp.as_deref()), (fbc, fbp));
}

#[rstest]
#[case("lead.created", Stepped::default(), None)]
#[case("lead.converted", Stepped::default(), Some("converted"))]
#[case("lead.stage_changed", Stepped { stage_id: Some(stage(3)), is_won: false }, None)]
#[case("lead.stage_changed", Stepped { stage_id: Some(stage(3)), is_won: true }, Some("won"))]
#[case::named_before_any("lead.stage_changed", Stepped { stage_id: Some(stage(1)), is_won: true }, Some("00000000-0000-0000-0000-000000000001"))]
fn a_step_counts_as_the_first_goal_that_it_meets(
    #[case] kind: &str,
    #[case] stepped: Stepped,
    #[case] wanted: Option<&str>,
) {
    let goals = vec![goal(Step::Stage, Some(stage(1))), goal(Step::Won, None), goal(Step::Converted, None)];
    let conversions = Conversions { goals, ..Conversions::default() };

    let met = conversions.goal_met(kind, stepped).map(Goal::key);

    assert_eq!(met.as_deref(), wanted);
    assert_eq!(conversions.events(), ["lead.stage_changed", "lead.converted"]);
    assert!(met.is_none_or(|key| conversions.goal(&key).is_some()));
}

#[test]
fn a_goal_is_told_of_a_lead_once() {
    let (lead, destination) = (LeadId(Uuid::from_u128(1)), DestinationId(Uuid::from_u128(2)));

    assert_eq!(conversion_of(lead, "won", destination), conversion_of(lead, "won", destination));
    assert_ne!(conversion_of(lead, "won", destination), conversion_of(lead, "converted", destination));
}

#[rstest]
#[case("1200", Some(1_200.0))]
#[case("1200.5", Some(1_200.5))]
#[case("€ 1,200.50", Some(1_200.5))]
#[case("1.200,50 EUR", Some(1_200.5))]
#[case("1,200", Some(1_200.0))]
#[case("1.200.000", Some(1_200_000.0))]
#[case("0.125", Some(0.125))]
#[case("-5", None)]
#[case("about 5", Some(5.0))]
#[case("none", None)]
#[case("99999999999999", None)]
fn amounts_are_read_as_people_write_them(#[case] text: &str, #[case] wanted: Option<f64>) {
    assert_eq!(Amount::read(text).map(Amount::value), wanted);
}

#[rstest]
#[case::field(json!({"deal": 90.5}), Some(80.0), (90.5, "EUR"))]
#[case::as_text(json!({"deal": "1200"}), None, (1_200.0, "EUR"))]
#[case::sold(json!({"deal": "much"}), Some(80.0), (80.0, "USD"))]
#[case::neither(json!({}), None, (7.0, "EUR"))]
fn a_value_is_the_leads_own_or_else_the_goals(
    #[case] fields: Value,
    #[case] sold: Option<f64>,
    #[case] wanted: (f64, &str),
) {
    let goal = Goal { value: Amount::of(7.0), currency: Some("EUR".to_owned()), ..goal(Step::Won, None) };
    let sold = sold.and_then(Amount::of).map(|value| Worth { value, currency: Some("USD") });
    let conversions = Conversions { value_field: Some("deal".to_owned()), ..Conversions::default() };

    let worth = conversions.worth_of(&goal, fields.as_object().expect("an object"), sold).expect("a value");

    assert_eq!((worth.value.value(), worth.currency), (wanted.0, Some(wanted.1)));
}

#[test]
fn texts_are_hashed_as_their_platforms_write_them() {
    assert_eq!(google_email(" Ada.L@Gmail.com "), "adal@gmail.com");
    assert_eq!(google_email("Ada.L@Example.com"), "ada.l@example.com");
    assert_eq!(plain_email(" Ada.L@Gmail.com "), "ada.l@gmail.com");
    assert_eq!(meta_phone("+49 30 123").as_deref(), Some("4930123"));
    assert_eq!(meta_phone("030123"), None);
    assert_eq!(google_time(Timestamp(1_767_600_000_000)), "2026-01-05 08:00:00");
}
