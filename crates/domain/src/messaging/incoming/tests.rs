//! Mails as programs and people write them, and as somebody writes them who means us ill.

use std::fmt::Write as _;

use rstest::rstest;

use super::*;

const ID: &str = "0199c0de-0000-7000-8000-000000000001";

fn mail(headers: &str, body: &str) -> IncomingMail {
    let text = format!("From: Ada <ada@example.com>\r\nMessage-ID: <m1@example.com>\r\n{headers}\r\n{body}");
    read(text.as_bytes()).expect("a mail")
}

#[test]
fn an_answer_is_read_without_its_history() {
    let id = format!("<{ID}@shop.example>");
    let said = mail(
        &format!(
            "Subject: =?UTF-8?Q?Re:_Gr=C3=BC=C3=9Fe?=\r\nTo: shop@shop.example\r\nIn-Reply-To: {id}\r\nReferences: <x@y.z> {id}\r\n"
        ),
        "Yes, please.\r\n\r\nOn Mon, Shop wrote:\r\n> Do you want it?\r\n",
    );

    assert_eq!((said.from.as_deref(), said.name.as_deref()), (Some("ada@example.com"), Some("Ada")));
    assert_eq!((said.message_id.as_deref(), said.subject.as_deref()), (Some("m1@example.com"), Some("Re: Grüße")));
    assert_eq!(
        (said.text.as_str(), said.quoted.as_deref()),
        ("Yes, please.", Some("On Mon, Shop wrote:\n> Do you want it?"))
    );
    assert_eq!(said.answers, [MessageId(ID.parse().expect("an id"))]);
    assert_eq!(said.author, Author::Person);
}

#[rstest]
#[case::plus(format!("To: Shop <reply+{}@shop.example>\r\n", ID.replace('-', "")))]
#[case::envelope(format!("Delivered-To: reply+{}@shop.example\r\n", ID.replace('-', "")))]
#[case::references(format!("References: <{ID}@shop.example>\r\n"))]
fn what_is_answered_is_found(#[case] headers: String) {
    assert_eq!(mail(&(headers + "X-Mailer: any\r\n"), "Hi").answers, [MessageId(ID.parse().expect("an id"))]);
}

#[rstest]
#[case::auto_submitted("Auto-Submitted: auto-replied\r\n")]
#[case::precedence("Precedence: bulk\r\n")]
#[case::list("List-Id: <news.example.com>\r\n")]
#[case::nobody_to_answer("Return-Path: <>\r\n")]
#[case::old_habit("X-Autoreply: yes\r\n")]
fn a_program_is_told_from_a_person(#[case] headers: &str) {
    assert_eq!(mail(headers, "I am away").author, Author::Program);
    assert_eq!(mail("Auto-Submitted: no\r\n", "I am here").author, Author::Person);
}

#[test]
fn a_report_names_what_did_not_arrive_and_why() {
    let report = format!(
        "From: MAILER-DAEMON@mx.example\r\nMessage-ID: <r@mx.example>\r\nAuto-Submitted: auto-replied\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nSorry.\r\n--b\r\n\
         Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n\
         Final-Recipient: rfc822; ada@example.com\r\nAction: ACTION\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 no such\r\n user here\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n\
         Message-ID: <{ID}@shop.example>\r\nSubject: Hi\r\n\r\nHi\r\n--b--\r\n"
    );

    let failed = read(report.replace("ACTION", "failed").as_bytes()).expect("a mail");
    let delayed = read(report.replace("ACTION", "delayed").as_bytes()).expect("a mail");

    let bounce = Bounce {
        message: MessageId(ID.parse().expect("an id")),
        code: "5.1.1".to_owned(),
        reason: "550 5.1.1 no such user here".to_owned(),
    };
    assert_eq!(failed.author, Author::Server(vec![bounce]));
    assert_eq!(delayed.author, Author::Server(Vec::new()), "it may still arrive");
}

#[test]
fn files_are_taken_out_and_bounded() {
    let body = "--b\r\n\r\nSee the plan\r\n--b\r\nContent-Type: application/pdf; name=\"../plan.pdf\"\r\n\
                Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\naGVsbG8=\r\n--b\r\n\
                Content-Type: image/png\r\nContent-Disposition: inline; filename=x.png\r\n\r\nPNG\r\n--b--\r\n";
    let said = mail("Content-Type: multipart/mixed; boundary=b\r\n", body);

    assert_eq!(said.text, "See the plan");
    let names: Vec<(&str, &str)> =
        said.files.iter().map(|one| (one.name.as_str(), one.content_type.as_str())).collect();
    assert_eq!(names, [("plan.pdf", "application/pdf"), ("x.png", "image/png")]);
    assert_eq!(said.files[0].place, FilePlace::Here(b"hello".to_vec()));

    let large = "A".repeat(files::FILE_MAX_BYTES * 4 / 3 + 100);
    let body =
        format!("--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n{large}\r\n--b--\r\n");
    let said = mail("Content-Type: multipart/mixed; boundary=b\r\n", &body);
    assert!(matches!(said.files[..], [File { place: FilePlace::TooLarge(_), .. }]));
}

#[test]
fn a_page_is_shown_as_words() {
    let said = mail("Content-Type: text/html\r\n", "<p>Hello &amp; <b>bye</b></p><script>alert(1)</script>");

    assert!(
        said.text.contains("Hello & bye") && !said.text.contains("alert") && !said.text.contains('<'),
        "{}",
        said.text
    );
}

#[rstest]
#[case::iso("iso-8859-1", b"Gr\xfc\xdfe".as_slice(), "Grüße")]
#[case::unknown("x-none", b"Gr\xc3\xbc\xc3\x9fe".as_slice(), "Grüße")]
#[case::broken("utf-8", b"a\xffb".as_slice(), "a\u{fffd}b")]
#[case::nul("utf-8", b"a\0b".as_slice(), "ab")]
fn charsets_are_followed_and_forgiven(#[case] charset: &str, #[case] body: &[u8], #[case] expected: &str) {
    let mut raw = format!("From: a@b.c\r\nContent-Type: text/plain; charset={charset}\r\n\r\n").into_bytes();
    raw.extend_from_slice(body);

    assert_eq!(read(&raw).expect("a mail").text, expected);
}

/// Each would cost memory or a stack where it was followed.
#[rstest]
#[case::mails_in_mails("Content-Type: message/rfc822\r\n\r\n".repeat(200_000))]
#[case::digests("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\n".repeat(100_000))]
#[case::multiparts((0..100_000).fold(String::new(), |mut text, n| {
    let _written = write!(text, "Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    text
}))]
#[case::headers("X: y\r\n".repeat(1_000_000))]
#[case::parameters(format!("Content-Type: text/plain{}\r\n\r\nHi", "; a=b".repeat(1_000_000)))]
#[case::addresses(format!("To: {}\r\n\r\nHi", "a@b.c, ".repeat(500_000)))]
fn a_mail_that_is_built_to_hurt_is_known_by_its_head(#[case] rest: String) {
    let raw = "From: eve@example.com\r\nMessage-ID: <m@example.com>\r\n".to_owned() + &{ rest };

    let said = read(raw.as_bytes()).expect("a mail");

    assert_eq!(said.from.as_deref(), Some("eve@example.com"));
    assert!(said.text.chars().count() <= TEXT_MAX_CHARS && said.to.len() <= MOST_NAMED);
}

#[rstest]
#[case(b"".as_slice())]
#[case(b"\0\0\0")]
#[case(b"hello")]
#[case(b"{\"a\": 1}")]
#[case(b"Subject: only\r\n\r\nHi")]
fn what_is_no_mail_is_none(#[case] raw: &[u8]) {
    assert_eq!(read(raw), None);
}
