//! Names that resolve to something else than they should.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leadline_outbound::{Guard, LookUp, SendError, UrlRefused};

use crate::receivers::{PATIENT, Receiver, SHORT, allowing, client_with, request};

/// Answers the first look-up with the first row, the second with the second, and then always the last.
fn look_up(rows: &'static [&'static [&'static str]]) -> (LookUp, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let look_up: LookUp = Arc::new(move |_| {
        let row = rows[counted.fetch_add(1, Ordering::SeqCst).min(rows.len() - 1)];
        Box::pin(async move { Ok(row.iter().map(|ip| ip.parse::<IpAddr>().unwrap()).collect()) })
    });
    (look_up, asked)
}

/// Two receivers on one port: one at an allowed address, which closes every connection, and a canary at a refused one.
async fn allowed_and_canary() -> (Receiver, Receiver) {
    let canary = Receiver::canary().await;
    let allowed = SocketAddr::new([127, 0, 0, 2].into(), canary.address.port());
    (Receiver::serving_at(allowed, |_| async {}).await, canary)
}

#[tokio::test]
async fn a_name_that_turns_private_after_the_first_delivery_is_not_followed() {
    let (public, canary) = allowed_and_canary().await;
    let (look_up, asked) = look_up(&[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.2"]]);
    let client = client_with(allowing(&["127.0.0.2/32"]), look_up);
    let request = request(&format!("https://rebinding.example.com:{}/", canary.address.port()), PATIENT);

    let (_, first) = client.send(&request).await;
    let (_, second) = client.send(&request).await;
    let (_, third) = client.send(&request).await;

    assert_ne!(first, Err(SendError::Refused(UrlRefused::PrivateAddress)));
    assert_eq!(second, Err(SendError::Refused(UrlRefused::PrivateAddress)));
    assert_ne!(third, Err(SendError::Refused(UrlRefused::PrivateAddress)));
    assert_eq!((public.hits(), canary.hits()), (2, 0));
    assert_eq!(asked.load(Ordering::SeqCst), 3, "a connection must go to the address of its one look-up");
}

#[tokio::test]
async fn of_mixed_addresses_only_the_allowed_ones_are_tried() {
    let (public, canary) = allowed_and_canary().await;
    let (look_up, _) = look_up(&[&["127.0.0.1", "::1", "127.0.0.2", "169.254.169.254"]]);
    let client = client_with(allowing(&["127.0.0.2/32"]), look_up);

    let url = format!("https://mixed.example.com:{}/", canary.address.port());
    let (_, result) = client.send(&request(&url, PATIENT)).await;

    assert!(result.is_err(), "it closes every connection");
    assert_eq!((public.hits(), canary.hits()), (1, 0));
}

#[tokio::test]
async fn a_public_name_with_private_addresses_is_refused_without_naming_them() {
    let canary = Receiver::canary().await;
    let (look_up, _) = look_up(&[&["127.0.0.1", "10.1.2.3"]]);
    let client = client_with(Guard::default(), look_up);

    let (_, result) =
        client.send(&request(&format!("https://127-0-0-1.nip.io:{}/", canary.address.port()), PATIENT)).await;

    let error = result.unwrap_err();
    assert_eq!(error, SendError::Refused(UrlRefused::PrivateAddress));
    assert!(!error.to_string().contains("10.1.2.3"));
    assert_eq!(canary.hits(), 0);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told_as_such() {
    let look_up: LookUp = Arc::new(|_| Box::pin(async { Err(std::io::Error::other("SERVFAIL from 10.0.0.53")) }));
    let client = client_with(Guard::default(), look_up);

    let (_, result) = client.send(&request("https://gone.example.com/", PATIENT)).await;

    assert_eq!(result, Err(SendError::Connect("the host name does not resolve".to_owned())));
}

#[tokio::test]
async fn localhost_needs_no_resolver() {
    let receiver = Receiver::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let look_up: LookUp = Arc::new(|_| panic!("nobody is asked what localhost means"));
    let client = client_with(allowing(&["127.0.0.0/8"]), look_up);

    let url = format!("http://localhost:{}/", receiver.address.port());
    let (_, result) = client.send(&request(&url, PATIENT)).await;

    assert_eq!(result.unwrap().status, 200);
}

/// Never answers for `slow.example.com`, and at once for all others.
fn silent_for_slow() -> (LookUp, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let look_up: LookUp = Arc::new(move |host| {
        let is_slow = host == "slow.example.com";
        counted.fetch_add(usize::from(is_slow), Ordering::SeqCst);
        Box::pin(async move {
            if is_slow {
                std::future::pending::<()>().await;
            }
            Ok(vec![[10, 0, 0, 1].into()])
        })
    });
    (look_up, asked)
}

#[tokio::test]
async fn a_silent_name_server_meets_the_deadline_and_occupies_one_look_up_however_often_it_is_tried() {
    let (look_up, asked) = silent_for_slow();
    let client = client_with(Guard::default(), look_up);
    let slow = request("https://slow.example.com/", SHORT);

    for _ in 0..3 {
        assert_eq!(client.send(&slow).await.1, Err(SendError::Timeout));
    }

    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_silent_name_server_does_not_hold_up_other_names() {
    let (look_up, _) = silent_for_slow();
    let client = client_with(Guard::default(), look_up);
    let stuck: Vec<_> = (0..500)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.send(&request("https://slow.example.com/", PATIENT)).await })
        })
        .collect();

    let (_, result) = client.send(&request("https://quick.example.com/", PATIENT)).await;

    assert_eq!(result, Err(SendError::Refused(UrlRefused::PrivateAddress)));
    assert!(stuck.iter().all(|task| !task.is_finished()));
    stuck.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_look_up_that_panics_fails_its_delivery_and_is_tried_anew_for_the_next() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let look_up: LookUp = Arc::new(move |_| {
        assert_ne!(counted.fetch_add(1, Ordering::SeqCst), 0, "the first look-up fails on purpose");
        Box::pin(async { Ok(vec![[10, 0, 0, 1].into()]) })
    });
    let client = client_with(Guard::default(), look_up);
    let request = request("https://odd.example.com/", PATIENT);

    let (_, first) = client.send(&request).await;
    let (_, second) = client.send(&request).await;

    assert_eq!(first, Err(SendError::Connect("the host name does not resolve".to_owned())));
    assert_eq!(second, Err(SendError::Refused(UrlRefused::PrivateAddress)));
}
