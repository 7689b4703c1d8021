//! Files of messages: keeping what came with one, fetching what its provider keeps, and taking what somebody puts into
//! the composer.

use std::time::Duration;

use leadline_domain::{
    ids::{AttachmentId, ConversationId, MessageId},
    messaging::{
        MessageChannel, Provider,
        files::{self, FILE_MAX_BYTES, File, FilePlace, MOST_OUT, OUT_MAX_BYTES, picture, safe_name, safe_type},
    },
    time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp},
};
use leadline_outbound::{
    Fetch, LetterFile, Response,
    messages::{twilio, whatsapp},
};
use leadline_store::{
    Error, Tx,
    attachments::{self as rows, Attachment, Fetched, State},
    channels,
    conversations::inbox,
    messages::inbound::NewInbound,
};
use serde_json::Value;
use tokio::sync::watch;

use super::{MessagingError, send::OpenChannel};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

/// How often files that wait are looked for.
const POLL: Duration = Duration::from_secs(1);

/// How long a provider has for a file.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long whoever took a file has it to themselves.
const LEASE_MS: i64 = 3 * MINUTE_MS;

/// The waits before further tries.
const WAITS_MS: [i64; 4] = [10 * SECOND_MS, MINUTE_MS, 10 * MINUTE_MS, 60 * MINUTE_MS];

/// How long a file stays that was put into the composer and not sent.
const UNSENT_KEPT_MS: i64 = DAY_MS;

/// Files that wait in one conversation's composer, over everybody who answers there.
const MOST_UNSENT: usize = 2 * MOST_OUT;

/// Keeps the files of a message that came in, in its transaction.
///
/// # Errors
/// Where the database fails.
pub(super) async fn keep(tx: &mut Tx, message: &NewInbound, files: &[File], now: Timestamp) -> Result<(), Error> {
    let mut kept = Vec::with_capacity(files.len());
    for (file, position) in files.iter().take(files::MOST_IN).zip(0_i64..) {
        let mut row = Attachment {
            id: AttachmentId::new(now, random_bytes()),
            workspace_id: message.workspace_id,
            conversation_id: message.conversation_id,
            message_id: Some(message.id),
            channel_id: Some(message.channel_id),
            user_id: None,
            position,
            file_name: file.name.clone(),
            content_type: file.content_type.clone(),
            picture_type: None,
            size_bytes: 0,
            state: State::Waiting,
            reason: None,
            place: None,
            attempt_count: 0,
            due_at: None,
            created_at: now,
        };
        match &file.place {
            FilePlace::Here(bytes) => {
                row.state = State::Stored;
                row.size_bytes = bytes.len() as i64;
                row.picture_type = picture(bytes).map(str::to_owned);
                rows::write(tx, row.id, row.conversation_id, bytes).await?;
            }
            FilePlace::AtProvider(place) => {
                row.place = Some(place.to_string());
                row.due_at = Some(now);
            }
            FilePlace::TooLarge(size) => {
                row.state = State::Refused;
                row.size_bytes = *size;
                row.reason = Some(too_large());
            }
        }
        kept.push(row);
    }
    rows::insert(tx, &kept).await
}

fn too_large() -> String {
    format!("The file is larger than {} MB", FILE_MAX_BYTES / 1024 / 1024)
}

/// Takes a file into the composer of a conversation.
///
/// # Errors
/// Where the conversation is not there or takes no files, the file is too large, empty or a program, or the store fails.
pub async fn upload(
    engine: &Engine,
    actor: &Actor,
    conversation: ConversationId,
    (name, content_type): (&str, &str),
    bytes: &[u8],
) -> Result<Attachment, MessagingError> {
    let now = engine.clock.now();
    let found = inbox::find(&engine.store.reader(), actor.workspace, conversation).await?;
    let entry = found.ok_or(MessagingError::NotFound)?;
    if !matches!(MessageChannel::parse(&entry.channel), Some(MessageChannel::Email | MessageChannel::Whatsapp)) {
        return Err(MessagingError::Conflict("files can be sent by e-mail and WhatsApp alone".to_owned()));
    }
    let name = safe_name(name);
    if files::is_program(&name) {
        return Err(MessagingError::field("/fileName", "is a program, which nobody takes by e-mail or WhatsApp"));
    }
    if bytes.is_empty() {
        return Err(MessagingError::field("", "the file is empty"));
    }
    let row = Attachment {
        id: AttachmentId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        conversation_id: conversation,
        message_id: None,
        channel_id: None,
        user_id: actor.user,
        position: 0,
        file_name: name,
        content_type: safe_type(content_type),
        picture_type: picture(bytes).map(str::to_owned),
        size_bytes: bytes.len() as i64,
        state: State::Stored,
        reason: None,
        place: None,
        attempt_count: 0,
        due_at: None,
        created_at: now,
    };
    let mut tx = engine.store.begin().await?;
    if rows::count_unsent(&mut tx, conversation).await? >= MOST_UNSENT as i64 {
        return Err(MessagingError::Conflict(format!("at most {MOST_UNSENT} files wait in one conversation")));
    }
    rows::write(&mut tx, row.id, conversation, bytes).await?;
    rows::insert(&mut tx, std::slice::from_ref(&row)).await?;
    let deed = Deed::new("attachment.uploaded", row.id, "").with(serde_json::json!({"sizeBytes": row.size_bytes}));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    Ok(row)
}

/// Takes a file out of the composer again.
///
/// # Errors
/// Where it is not there or in a message already, or the store fails.
pub async fn remove(engine: &Engine, actor: &Actor, id: AttachmentId) -> Result<(), MessagingError> {
    let mut tx = engine.store.begin().await?;
    if !rows::delete_unsent(&mut tx, actor.workspace, id).await? {
        return Err(MessagingError::NotFound);
    }
    audit::record(&mut tx, engine.clock.now(), actor, Deed::new("attachment.removed", id, "")).await?;
    tx.commit().await?;
    Ok(())
}

/// Puts files into a message that is about to be asked for, in its transaction.
///
/// # Errors
/// Where one of them is not in the conversation's composer, or they are too many or too large.
pub(super) async fn attach(
    tx: &mut Tx,
    actor: &Actor,
    conversation: ConversationId,
    (message, kind): (MessageId, MessageChannel),
    ids: &[AttachmentId],
) -> Result<(), MessagingError> {
    if ids.is_empty() {
        return Ok(());
    }
    let most = match kind {
        MessageChannel::Email => MOST_OUT,
        MessageChannel::Whatsapp => 1,
        MessageChannel::Sms => 0,
    };
    if ids.len() > most {
        let words = if most == 1 { "takes one file in a message".to_owned() } else { format!("takes {most} files") };
        return Err(MessagingError::field("/attachmentIds", &format!("{} {words}", kind.label())));
    }
    let found = rows::lock_unsent(tx, actor.workspace, conversation, ids).await?;
    if ids.iter().any(|id| found.iter().all(|row| row.id != *id)) {
        return Err(MessagingError::field(
            "/attachmentIds",
            "names a file that is not in this conversation's composer",
        ));
    }
    if found.iter().map(|row| row.size_bytes).sum::<i64>() > OUT_MAX_BYTES as i64 {
        let most = OUT_MAX_BYTES / 1024 / 1024;
        return Err(MessagingError::field("/attachmentIds", &format!("are larger than {most} MB together")));
    }
    for (id, position) in ids.iter().zip(0_i64..) {
        rows::attach(tx, *id, message, position).await?;
    }
    Ok(())
}

/// The files of a message that is handed over, in their order.
///
/// # Errors
/// Where the database fails.
pub(super) async fn of_message(
    engine: &Engine,
    workspace: leadline_domain::ids::WorkspaceId,
    message: MessageId,
) -> Result<Vec<LetterFile>, Error> {
    let reader = engine.store.reader();
    let mut files = Vec::new();
    for row in rows::of_messages(&reader, workspace, &[message]).await? {
        let bytes = rows::read_all(&reader, row.id).await?;
        files.push(LetterFile { name: row.file_name, content_type: row.content_type, bytes });
    }
    Ok(files)
}

/// Fetches files until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let fetched = fetch_due(&engine).await.unwrap_or_else(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "files of messages wait for the store");
            0
        });
        if fetched > 0 {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Fetches files that wait, one after the other so that one is in memory, and tells how many that were.
///
/// # Errors
/// Where the database fails.
pub async fn fetch_due(engine: &Engine) -> Result<usize, Error> {
    let due = rows::list_due(&engine.store.reader(), engine.clock.now(), 20).await?;
    for file in &due {
        let now = engine.clock.now();
        let mut tx = engine.store.begin().await?;
        let is_ours = rows::take(&mut tx, file.id, now, now.plus_ms(LEASE_MS)).await?;
        tx.commit().await?;
        if is_ours {
            fetch_one(engine, file).await?;
        }
    }
    Ok(due.len())
}

async fn fetch_one(engine: &Engine, file: &Attachment) -> Result<(), Error> {
    let got = get(engine, file).await;
    let now = engine.clock.now();
    let mut fetched = Fetched {
        state: State::Stored,
        reason: None,
        content_type: file.content_type.clone(),
        picture_type: None,
        size_bytes: 0,
        due_at: None,
    };
    let mut tx = engine.store.begin().await?;
    match got {
        Ok(bytes) => {
            fetched.size_bytes = bytes.len() as i64;
            fetched.picture_type = picture(&bytes).map(str::to_owned);
            // One that was erased meanwhile gets no bytes.
            if rows::settle(&mut tx, file.id, &fetched).await? {
                rows::write(&mut tx, file.id, file.conversation_id, &bytes).await?;
            }
        }
        Err(Missed::ForGood(reason)) => {
            fetched = Fetched { state: State::Refused, reason: Some(reason), ..fetched };
            rows::settle(&mut tx, file.id, &fetched).await?;
        }
        Err(Missed::ForNow(reason)) => {
            let wait = usize::try_from(file.attempt_count).ok().and_then(|tries| WAITS_MS.get(tries));
            let state = if wait.is_some() { State::Waiting } else { State::Refused };
            let due_at = wait.map(|wait| now.plus_ms(*wait));
            fetched = Fetched { state, reason: Some(reason), due_at, ..fetched };
            rows::settle(&mut tx, file.id, &fetched).await?;
        }
    }
    tell(&mut tx, file, now).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(())
}

async fn tell(tx: &mut Tx, file: &Attachment, now: Timestamp) -> Result<(), Error> {
    use leadline_store::events::{self, NewEvent};
    let event = NewEvent {
        id: leadline_domain::ids::EventId::new(now, random_bytes()),
        workspace_id: file.workspace_id,
        kind: "conversation.changed".to_owned(),
        lead_id: None,
        submission_id: None,
        data: serde_json::json!({"conversationId": file.conversation_id}),
        created_at: now.0,
        dispatched: false,
    };
    events::append(tx, &[event]).await
}

/// Why a file did not come.
enum Missed {
    ForGood(String),
    ForNow(String),
}

async fn get(engine: &Engine, file: &Attachment) -> Result<Vec<u8>, Missed> {
    let for_now = |words: &str| Missed::ForNow(words.to_owned());
    let place: Value = file.place.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let Some(channel_id) = file.channel_id else { return Err(Missed::ForGood("The file has no channel".to_owned())) };
    let found = channels::find(&engine.store.reader(), file.workspace_id, channel_id).await;
    let Some(channel) = found.map_err(|_| for_now("The store did not answer"))? else {
        return Err(Missed::ForGood("The channel was deleted before the file was fetched".to_owned()));
    };
    let open = engine.channels.open(engine, &channel);
    let open = open.map_err(|_| for_now("The channel's secrets cannot be opened"))?;
    let fetch = match open.provider {
        Provider::Whatsapp => of_whatsapp(engine, &open, place["media"].as_str().unwrap_or_default()).await?,
        Provider::Twilio => {
            let url = place["url"].as_str().unwrap_or_default();
            twilio::fetch_media(&open.account(), url, FILE_MAX_BYTES, TIMEOUT)
        }
        Provider::Sandbox | Provider::SmsHttp | Provider::Smtp => None,
    };
    let fetch = fetch.ok_or_else(|| Missed::ForGood("The provider does not say where the file is".to_owned()))?;
    let mut response = ask(engine, &fetch).await?;
    // Twilio sends on to where its files are. The secret stays behind, and the guard looks at that address, too.
    if matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        let next = response.header("location").and_then(|to| fetch.url.join(to).ok());
        let url = next.ok_or_else(|| Missed::ForGood("The provider does not say where the file is".to_owned()))?;
        response = ask(engine, &Fetch { url, headers: Vec::new(), ..fetch }).await?;
    }
    whole(response)
}

async fn of_whatsapp(engine: &Engine, open: &OpenChannel, media: &str) -> Result<Option<Fetch>, Missed> {
    let Some(look_up) = whatsapp::look_up_media(&open.number(), media, TIMEOUT) else { return Ok(None) };
    let response = ask(engine, &look_up).await?;
    if matches!(response.status, 400 | 404 | 410) {
        return Err(Missed::ForGood("WhatsApp has the file no more".to_owned()));
    }
    let url = whatsapp::media_address(&response);
    let url = url.ok_or_else(|| Missed::ForNow(format!("WhatsApp answered {}", response.status)))?;
    Ok(Some(whatsapp::fetch_media(&open.number(), url, FILE_MAX_BYTES, TIMEOUT)))
}

async fn ask(engine: &Engine, fetch: &Fetch) -> Result<Response, Missed> {
    engine.client.get(fetch).await.map_err(|error| Missed::ForNow(format!("The file cannot be fetched: {error}")))
}

fn whole(response: Response) -> Result<Vec<u8>, Missed> {
    match response.status {
        _ if response.is_success() && response.is_body_whole && !response.body.is_empty() => Ok(response.body),
        _ if response.is_success() && response.body.len() >= FILE_MAX_BYTES => Err(Missed::ForGood(too_large())),
        _ if response.is_success() => Err(Missed::ForNow("The file broke off".to_owned())),
        404 | 410 => Err(Missed::ForGood("The provider has the file no more".to_owned())),
        status => Err(Missed::ForNow(format!("The provider answered {status}"))),
    }
}

/// Deletes files that were put into a composer and forgotten.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn retain(engine: &Engine, now: Timestamp, at_once: i64) -> Result<(), Error> {
    loop {
        let mut tx = engine.store.begin().await?;
        let deleted = rows::delete_forgotten(&mut tx, now.plus_ms(-UNSENT_KEPT_MS), at_once).await?;
        tx.commit().await?;
        if deleted == 0 {
            return Ok(());
        }
    }
}
