//! Which headers a user may add.

use leadline_outbound::{HeaderRefused, check_custom_header};
use rstest::rstest;

#[rstest]
#[case::authorization("Authorization", "Bearer abc", Ok(()))]
#[case::own_name("X-Api-Key", "k", Ok(()))]
#[case::no_name("", "v", Err(HeaderRefused::Name))]
#[case::space_in_name("X Key", "v", Err(HeaderRefused::Name))]
#[case::line_break_in_value("X-Key", "a\r\nX-Evil: 1", Err(HeaderRefused::Value))]
#[case::not_ascii("X-Key", "schlüssel", Err(HeaderRefused::Value))]
#[case::host("HOST", "internal", Err(HeaderRefused::Reserved))]
#[case::length("Content-Length", "5", Err(HeaderRefused::Reserved))]
#[case::chunks("Transfer-Encoding", "chunked", Err(HeaderRefused::Reserved))]
#[case::our_signature("X-Leadline-Signature", "sha256=00", Err(HeaderRefused::Reserved))]
#[case::standard_signature("webhook-signature", "v1,x", Err(HeaderRefused::Reserved))]
#[case::type_of_the_body("Content-Type", "text/html", Err(HeaderRefused::Reserved))]
fn headers_are_checked_before_they_are_saved(
    #[case] name: &str,
    #[case] value: &str,
    #[case] expected: Result<(), HeaderRefused>,
) {
    assert_eq!(check_custom_header(name, value), expected);
}
