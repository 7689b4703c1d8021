//! One request to one receiver, whatever the receiver does.

use bytes::Bytes;
use leadline_outbound::{Client, Guard, HeaderRefused, MAX_BODY_BYTES, Request, SendError, UrlRefused};
use rstest::rstest;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::receivers::{PATIENT, Receiver, SHORT, loopback_client, read_request, request};

#[tokio::test]
async fn the_request_arrives_with_its_headers_and_body_untouched() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let receiver = Receiver::serving(move |mut stream| {
        let seen = seen.clone();
        async move {
            seen.send(read_request(&mut stream).await).unwrap();
            stream.write_all(b"HTTP/1.1 202 Accepted\r\nX-Trace: 7\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    })
    .await;
    let headers = [("content-type", "application/json"), ("x-leadline-event", "lead.created")];
    let request = Request {
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Bytes::from_static("{\"name\":\"Zoë\"}".as_bytes()),
        ..receiver.request(PATIENT)
    };

    let (duration, response) = loopback_client().send(&request).await;

    let response = response.unwrap();
    assert_eq!((response.status, response.is_success(), response.is_body_whole), (202, true, true));
    assert_eq!((response.header("x-trace"), response.body.as_slice()), (Some("7"), b"ok".as_slice()));
    assert!(duration < PATIENT);
    let text = requests.recv().await.unwrap();
    assert!(text.starts_with("POST /hook HTTP/1.1\r\n"), "{text}");
    assert!(text.contains("\r\nx-leadline-event: lead.created\r\n"), "{text}");
    assert!(text.ends_with("\r\n\r\n{\"name\":\"Zoë\"}"), "{text}");
}

#[rstest]
#[case::silence(b"")]
#[case::half_a_status_line(b"HTTP/1.1 20")]
#[case::endless_headers(b"HTTP/1.1 200 OK\r\nX-One: 1\r\n")]
#[tokio::test]
async fn a_receiver_without_an_answer_meets_the_deadline(#[case] answer: &'static [u8]) {
    let receiver = Receiver::stalling_after(answer).await;

    let (duration, result) = loopback_client().send(&receiver.request(SHORT)).await;

    assert_eq!(result, Err(SendError::Timeout));
    assert!(duration >= SHORT);
}

#[tokio::test]
async fn a_body_that_drips_past_the_deadline_leaves_the_status_standing() {
    let receiver = Receiver::stalling_after(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nx").await;

    let (_, result) = loopback_client().send(&receiver.request(SHORT * 10)).await;

    let response = result.unwrap();
    assert_eq!((response.status, response.body.as_slice(), response.is_body_whole), (200, b"x".as_slice(), false));
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_the_status_standing() {
    let receiver = Receiver::answering("HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\nhalf").await;

    let (_, result) = loopback_client().send(&receiver.request(PATIENT)).await;

    let response = result.unwrap();
    assert_eq!((response.status, response.body.as_slice(), response.is_body_whole), (503, b"half".as_slice(), false));
}

#[tokio::test]
async fn of_a_large_answer_only_the_beginning_is_read() {
    let size = 10 << 20;
    let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n").into_bytes();
    answer.resize(answer.len() + size, b'x');
    let receiver = Receiver::answering(answer).await;

    let (_, result) = loopback_client().send(&receiver.request(PATIENT)).await;

    let response = result.unwrap();
    assert_eq!((response.status, response.body.len(), response.is_body_whole), (200, MAX_BODY_BYTES, false));
}

#[tokio::test]
async fn a_compressed_answer_is_left_compressed() {
    // The beginning of a gzip stream: a client that decompressed it would fail or give something else.
    let zipped = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1";
    let mut answer = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 12\r\n\r\n".to_vec();
    answer.extend_from_slice(zipped);
    let receiver = Receiver::answering(answer).await;

    let (_, result) = loopback_client().send(&receiver.request(PATIENT)).await;

    assert_eq!(result.unwrap().body, zipped);
}

#[rstest]
#[case::garbage(b"\x00\xff\xfeSSH-2.0-OpenSSH\r\n\r\n".to_vec(), "the answer is not valid HTTP")]
#[case::nothing(Vec::new(), "the receiver closed the connection before answering")]
#[case::half_a_status_line(b"HTTP/1.1 20".to_vec(), "the receiver closed the connection before answering")]
#[case::flood_of_headers(flood_of_headers(), "the answer is not valid HTTP")]
#[case::endless_header(endless_header(), "the answer is not valid HTTP")]
#[tokio::test]
async fn an_answer_that_is_not_http_is_an_error_that_does_not_quote_it(#[case] answer: Vec<u8>, #[case] text: &str) {
    let receiver = Receiver::answering(answer).await;

    let (_, result) = loopback_client().send(&receiver.request(PATIENT)).await;

    let error = result.unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), ("network_error", text));
}

fn flood_of_headers() -> Vec<u8> {
    let headers: String = (0..100_000).map(|number| format!("X-Bomb-{number}: aaaaaaaaaaaaaaaa\r\n")).collect();
    format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n").into_bytes()
}

fn endless_header() -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\n\r\n", "a".repeat(8 << 20)).into_bytes()
}

#[tokio::test]
async fn a_reset_connection_is_a_network_error() {
    let receiver = Receiver::serving(|mut stream| async move {
        read_request(&mut stream).await;
        stream.set_zero_linger().unwrap();
    })
    .await;

    let (_, result) = loopback_client().send(&receiver.request(PATIENT)).await;

    let text = "the receiver closed the connection before answering".to_owned();
    assert_eq!(result, Err(SendError::Network(text)));
}

#[tokio::test]
async fn a_closed_port_is_told_as_such() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);

    let (_, result) = loopback_client().send(&request(&url, PATIENT)).await;

    assert_eq!(result, Err(SendError::Connect("connection refused".to_owned())));
}

#[rstest]
#[tokio::test]
async fn redirects_are_an_answer_and_are_not_followed(#[values(301, 302, 303, 307, 308)] status: u16) {
    let canary = Receiver::canary().await;
    let location = format!("http://{}/canary", canary.address);
    let answer = format!("HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
    let receiver = Receiver::answering(answer).await;

    let (_, result) = loopback_client().send(&receiver.request(PATIENT)).await;

    let response = result.unwrap();
    assert_eq!((response.status, response.is_success()), (status, false));
    assert_eq!(response.header("location"), Some(location.as_str()));
    assert_eq!(canary.hits(), 0);
}

#[tokio::test]
async fn early_hints_do_not_stand_in_the_way_of_the_answer() {
    let mut answer = b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n".repeat(50);
    answer.extend_from_slice(b"HTTP/1.1 204 No Content\r\n\r\n");
    let receiver = Receiver::answering(answer).await;

    let (_, result) = loopback_client().send(&receiver.request(PATIENT)).await;

    assert_eq!(result.unwrap().status, 204);
}

#[tokio::test]
async fn long_header_values_are_cut() {
    let answer = format!("HTTP/1.1 200 OK\r\nX-Long: {}\r\nContent-Length: 0\r\n\r\n", "é".repeat(5000));
    let receiver = Receiver::answering(answer).await;

    let (_, result) = loopback_client().send(&receiver.request(PATIENT)).await;

    assert_eq!(result.unwrap().header("x-long"), Some("é".repeat(1024).as_str()));
}

#[tokio::test]
async fn a_receiver_that_hangs_does_not_hold_up_another() {
    let hanging = Receiver::stalling_after(b"").await;
    let healthy = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let client = loopback_client();
    let stuck: Vec<_> = (0..50)
        .map(|_| {
            let (client, request) = (client.clone(), hanging.request(PATIENT * 10));
            tokio::spawn(async move { client.send(&request).await })
        })
        .collect();

    let (_, result) = client.send(&healthy.request(PATIENT)).await;

    assert_eq!(result.unwrap().status, 200);
    assert!(stuck.iter().all(|task| !task.is_finished()));
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
}

#[rstest]
#[case::address("https://127.0.0.1", UrlRefused::PrivateAddress)]
#[case::plain_http("http://127.0.0.1", UrlRefused::NotHttps)]
#[case::localhost("https://localhost", UrlRefused::PrivateName)]
#[case::ipv6("https://[::ffff:127.0.0.1]", UrlRefused::PrivateAddress)]
#[tokio::test]
async fn a_private_host_that_was_saved_all_the_same_is_not_connected_to(
    #[case] host: &str,
    #[case] expected: UrlRefused,
) {
    let canary = Receiver::canary().await;
    let client = Client::new(Guard::default()).unwrap();

    let (_, result) = client.send(&request(&format!("{host}:{}/", canary.address.port()), PATIENT)).await;

    assert_eq!(result, Err(SendError::Refused(expected)));
    assert_eq!(canary.hits(), 0);
}

#[tokio::test]
async fn a_header_that_would_frame_the_request_anew_is_not_sent() {
    let receiver = Receiver::canary().await;
    let request = Request { headers: vec![("Host".to_owned(), "internal".to_owned())], ..receiver.request(PATIENT) };

    let (_, result) = loopback_client().send(&request).await;

    assert_eq!(result, Err(SendError::Header(HeaderRefused::Reserved)));
    assert_eq!(receiver.hits(), 0);
}

#[tokio::test]
async fn errors_do_not_show_the_url() {
    let receiver = Receiver::answering("nonsense").await;
    let url = format!("http://{}/hook?key=hunter2", receiver.address);

    let (_, result) = loopback_client().send(&request(&url, PATIENT)).await;

    let error = result.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}
