use rstest::rstest;
use serde_json::json;

use super::*;
use crate::{ids::SegmentId, silence::timezone};

fn custom() -> HashMap<String, CustomKind> {
    let kinds = [
        ("budget", CustomKind::Number),
        ("due", CustomKind::Date),
        ("plan", CustomKind::Select),
        ("likes", CustomKind::MultiSelect),
        ("agreed", CustomKind::Boolean),
    ];
    kinds.into_iter().map(|(key, kind)| (key.to_owned(), kind)).collect()
}

/// In Berlin, an hour after a Monday's midnight; in universal time it is still Sunday.
fn moment() -> Moment {
    let now = Timestamp::parse("2026-03-29T23:30:00Z").expect("a time");
    Moment { now, timezone: timezone("Europe/Berlin").expect("a timezone") }
}

fn segment(number: u128) -> SegmentId {
    SegmentId(Uuid::from_u128(number))
}

/// Hot ones; those by name; two that name each other; hot ones that are not new.
fn segments() -> Segments {
    let of = |number: u128| json!({"field": "segment", "op": "is", "value": segment(number)});
    let hot = json!({"field": "score", "op": "at_least", "value": 60});
    let older = json!({"all": [of(1), {"field": "submissionCount", "op": "more_than", "value": 1}]});
    let named = json!({"field": "name", "op": "not_empty"});
    let all = [(1, hot), (2, named), (3, of(4)), (4, of(3)), (5, older)];
    all.into_iter().map(|(number, filter)| (segment(number), filter)).collect()
}

fn read(json: &Value) -> Result<Filter, Vec<FilterFault>> {
    let facts = Facts { moment: moment(), me: None, custom: &custom(), sees_personal: true, segments: &segments() };
    Filter::read(json, &facts)
}

fn faults(json: &Value) -> Vec<String> {
    read(json).expect_err("it is wrong").into_iter().map(|fault| fault.pointer).collect()
}

#[rstest]
#[case::not_an_object(json!([]), &[""])]
#[case::no_field(json!({"op": "is", "value": "a"}), &["/field"])]
#[case::no_op(json!({"field": "name"}), &["/op"])]
#[case::unknown_field(json!({"field": "password", "op": "is", "value": "a"}), &["/field"])]
#[case::unknown_member(json!({"field": "name", "op": "is", "value": "a", "or": 1}), &["/or"])]
#[case::group_and_more(json!({"all": [], "field": "name"}), &[""])]
#[case::no_list(json!({"any": {}}), &["/any"])]
#[case::foreign_op(json!({"field": "name", "op": "at_least", "value": 1}), &["/op"])]
#[case::wrong_value(json!({"field": "score", "op": "is", "value": "1"}), &["/value"])]
#[case::fraction(json!({"field": "score", "op": "is", "value": 1.5}), &["/value"])]
#[case::huge(json!({"field": "custom.budget", "op": "is", "value": 1e300}), &["/value"])]
#[case::nothing(json!({"field": "name", "op": "is", "value": ""}), &["/value"])]
#[case::nul(json!({"field": "name", "op": "is", "value": "a\u{0}"}), &["/value"])]
#[case::long(json!({"field": "name", "op": "is", "value": "x".repeat(501)}), &["/value"])]
#[case::many(json!({"field": "tags", "op": "any_of", "value": vec!["x"; 101]}), &["/value"])]
#[case::no_id(json!({"field": "stageId", "op": "is", "value": "new"}), &["/value"])]
#[case::nobody(json!({"field": "assignedTo", "op": "is", "value": "me"}), &["/value"])]
#[case::no_date(json!({"field": "createdAt", "op": "on", "value": "soon"}), &["/value"])]
#[case::backwards(json!({"field": "createdAt", "op": "between", "value": ["2026-02-01", "2026-01-01"]}), &["/value"])]
#[case::no_unit(json!({"field": "createdAt", "op": "in_last", "value": {"amount": 1, "unit": "moons"}}), &["/value"])]
#[case::no_amount(json!({"field": "createdAt", "op": "in_last", "value": {"amount": 0, "unit": "days"}}), &["/value"])]
#[case::value_of_nothing(json!({"field": "name", "op": "empty", "value": 1}), &["/value"])]
#[case::bad_key(json!({"field": "custom.a\"b", "op": "empty"}), &["/field"])]
#[case::no_key(json!({"field": "custom.", "op": "empty"}), &["/field"])]
#[case::each(json!({"all": [{"field": "x", "op": "is"}, {"any": [{"field": "name", "op": "y"}]}]}),
             &["/all/0/field", "/all/1/any/0/op"])]
fn what_is_no_filter_is_pointed_at(#[case] json: Value, #[case] pointers: &[&str]) {
    assert_eq!(faults(&json), pointers);
}

#[test]
fn depth_and_size_are_limited() {
    let condition = json!({"field": "score", "op": "is", "value": 1});
    let nested = |depth: usize| (0..depth).fold(condition.clone(), |inner, _| json!({"all": [inner]}));
    let wide = |count: usize| json!({"any": [{"all": vec![condition.clone(); count]}, condition]});

    assert!(read(&nested(DEPTH_MAX)).is_ok());
    assert_eq!(faults(&nested(DEPTH_MAX + 1)), ["/all/0/all/0/all/0/all/0/all"]);
    assert!(read(&wide(CONDITIONS_MAX - 1)).is_ok());
    assert_eq!(faults(&wide(CONDITIONS_MAX)), ["/any/1"]);
}

fn span(op: &str, value: &Value) -> (String, String) {
    let filter = read(&json!({"field": "createdAt", "op": op, "value": value})).expect("a filter");
    let Filter::Is(Condition { test: Test::Time { from, before }, .. }) = filter else { panic!("{filter:?}") };
    let text = |at: Option<Timestamp>| at.map_or_else(|| "ever".to_owned(), Timestamp::in_seconds);
    (text(from), text(before))
}

/// Clocks were put forward on the 29th.
#[rstest]
#[case::on("on", json!("2026-03-29"), "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")]
#[case::before("before", json!("2026-03-29"), "ever", "2026-03-28T23:00:00Z")]
#[case::after("after", json!("2026-03-29"), "2026-03-29T22:00:00Z", "ever")]
#[case::before_a_time("before", json!("2026-03-29T12:00:00Z"), "ever", "2026-03-29T12:00:00Z")]
#[case::between("between", json!(["2026-03-01", "2026-03-02"]), "2026-02-28T23:00:00Z", "2026-03-02T23:00:00Z")]
#[case::hours("in_last", json!({"amount": 2, "unit": "hours"}), "2026-03-29T21:30:00Z", "2026-03-29T23:30:00Z")]
#[case::today("in_last", json!({"amount": 1, "unit": "days"}), "2026-03-29T22:00:00Z", "2026-03-29T23:30:00Z")]
#[case::week("in_last", json!({"amount": 1, "unit": "weeks"}), "2026-03-23T23:00:00Z", "2026-03-29T23:30:00Z")]
#[case::month("in_last", json!({"amount": 1, "unit": "months"}), "2026-02-27T23:00:00Z", "2026-03-29T23:30:00Z")]
#[case::ago("more_than_ago", json!({"amount": 3, "unit": "days"}), "ever", "2026-03-26T23:00:00Z")]
#[case::next("in_next", json!({"amount": 1, "unit": "days"}), "2026-03-29T23:30:00Z", "2026-03-31T22:00:00Z")]
#[case::this_day("this", json!("day"), "2026-03-29T22:00:00Z", "2026-03-30T22:00:00Z")]
#[case::this_week("this", json!("week"), "2026-03-29T22:00:00Z", "2026-04-05T22:00:00Z")]
#[case::last_week("previous", json!("week"), "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z")]
#[case::last_month("previous", json!("month"), "2026-01-31T23:00:00Z", "2026-02-28T23:00:00Z")]
#[case::last_year("previous", json!("year"), "2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z")]
fn dates_are_those_of_the_workspace(#[case] op: &str, #[case] value: Value, #[case] from: &str, #[case] before: &str) {
    assert_eq!(span(op, &value), (from.to_owned(), before.to_owned()));
}

#[test]
fn a_custom_day_is_a_day_and_no_moment() {
    let filter = read(&json!({"field": "custom.due", "op": "in_next", "value": {"amount": 2, "unit": "days"}}));

    let day = |text: &str| text.parse::<NaiveDate>().ok();
    let expected = Test::Day { from: day("2026-03-30"), before: day("2026-04-02") };
    assert!(matches!(filter, Ok(Filter::Is(Condition { test, .. })) if test == expected));
}

#[rstest]
#[case::name("name")]
#[case::custom("custom.budget")]
#[case::click_id("lastTouch.gclid")]
fn who_may_not_see_personal_data_may_not_ask_for_it(#[case] field: &str) {
    let facts = Facts { moment: moment(), me: None, custom: &custom(), sees_personal: false, segments: &segments() };

    let refused = Filter::read(&json!({"any": [{"field": field, "op": "not_empty"}]}), &facts).expect_err("refused");

    assert!(refused.iter().all(|fault| fault.is_forbidden), "{refused:?}");
    assert!(Filter::read(&json!({"field": "score", "op": "is", "value": 3}), &facts).is_ok());
}

#[test]
fn a_segment_asks_what_its_own_conditions_ask() {
    let hot = read(&json!({"field": "score", "op": "at_least", "value": 60})).expect("a filter");
    let asked = |op: &str, value: Value| read(&json!({"field": "segment", "op": op, "value": value}));

    assert_eq!(asked("is", json!(segment(1))), Ok(Filter::Any(vec![hot.clone()])));
    assert_eq!(asked("none_of", json!([segment(1)])), Ok(Filter::None(vec![hot.clone()])));
    let Ok(Filter::Any(older)) = asked("is", json!(segment(5))) else { panic!("a segment in a segment is read") };
    assert!(matches!(&older[..], [Filter::All(both)] if both[0] == Filter::Any(vec![hot])));
    assert!(asked("none_of", json!([segment(1)])).expect("a filter").necessary().is_empty());
}

#[rstest]
#[case::none_of_these(json!(segment(9)), "is not a segment here")]
#[case::no_id(json!("hot"), "is not a segment here")]
#[case::in_a_circle(json!(segment(3)), "names a segment that goes in a circle")]
fn a_segment_that_cannot_be_asked_is_refused(#[case] value: Value, #[case] expected: &str) {
    let refused = read(&json!({"all": [{"field": "segment", "op": "is", "value": value}]})).expect_err("refused");

    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].pointer, "/all/0/value");
    assert!(refused[0].message.contains(expected.trim_start_matches("names a segment that ")), "{refused:?}");
}

#[test]
fn a_segment_tells_nobody_more_than_they_may_see_and_does_not_name_itself() {
    let facts = Facts { moment: moment(), me: None, custom: &custom(), sees_personal: false, segments: &segments() };
    let named = json!({"field": "segment", "op": "is", "value": segment(2)});

    let refused = Filter::read(&named, &facts).expect_err("refused");
    let itself = Filter::read_segment(segment(2), &named, &facts).expect_err("refused");

    assert!(refused[0].is_forbidden);
    assert!(itself[0].message.contains("circle"), "{itself:?}");
}
