//! Every `code` that an error answer can carry, in one table: its HTTP status, its title and what it means.
//!
//! The page at `/docs/errors` is made from this table, so a code that is not here does not exist.

use http::StatusCode;

macro_rules! codes {
    ($($name:ident = $status:ident, $code:literal, $title:literal, $meaning:literal;)*) => {
        /// A stable name for what went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code {$(
            #[doc = $meaning]
            $name,
        )*}

        impl Code {
            /// Every code, in the order of the documentation page.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The HTTP status that goes with the code.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {$(Code::$name => StatusCode::$status,)*}
            }

            /// The code as it stands in the answer.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {$(Code::$name => $code,)*}
            }

            /// A few words for people.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {$(Code::$name => $title,)*}
            }

            /// What the code means, and what to do about it.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self {$(Code::$name => $meaning,)*}
            }
        }
    };
}

codes! {
    UnreadableBody = BAD_REQUEST, "unreadable_body", "The body could not be read",
        "The body is not what its content type says: broken JSON, a cut multipart body, text that is not UTF-8. Mend the body and send it again.";
    EmptyBody = BAD_REQUEST, "empty_body", "The body is empty",
        "The request carries no fields at all. Send at least one.";
    InvalidQuery = BAD_REQUEST, "invalid_query", "The query string could not be read",
        "A query parameter is unknown or has a value of the wrong kind; `detail` says which.";
    NotSignedIn = UNAUTHORIZED, "not_signed_in", "Sign in first",
        "The request carries neither a token nor a session that is still valid.";
    InvalidToken = UNAUTHORIZED, "invalid_token", "The token is not valid",
        "The bearer token is unknown, has expired or was revoked.";
    WrongCredentials = UNAUTHORIZED, "wrong_credentials", "Wrong e-mail address or password",
        "No user has this e-mail address with this password.";
    SecondFactorNeeded = UNAUTHORIZED, "second_factor_needed", "A code is needed",
        "E-mail address and password are right. Send them again with `code`: the six digits that the app shows, or a recovery code.";
    WrongCode = UNAUTHORIZED, "wrong_code", "The code does not count",
        "It is not the code of this half minute, or it was used before; a recovery code works once.";
    ProofMissing = UNAUTHORIZED, "proof_missing", "A proof of the sender is missing",
        "The source demands a signature, a secret header or Google's key, and the request carries none.";
    ProofInvalid = UNAUTHORIZED, "proof_invalid", "The proof of the sender does not fit",
        "The signature, the secret or the key in the request is not what the source expects, or its time is more than five minutes off.";
    Forbidden = FORBIDDEN, "forbidden", "Not allowed",
        "The role of the caller lacks the permission that `detail` names.";
    SecondFactorRequired = FORBIDDEN, "second_factor_required", "Set up a second factor first",
        "The workspace wants everybody to sign in with a second factor, and the caller has none yet. Nothing else is allowed until it is set up.";
    PasswordsOff = FORBIDDEN, "passwords_off", "Passwords are not used here",
        "The workspace wants its sign-in provider to be used. Super admins, and whoever belongs to another workspace too, may use their password.";
    CsrfTokenMismatch = FORBIDDEN, "csrf_token_mismatch", "The request did not come from the dashboard",
        "A change made with the session cookie must carry the header X-CSRF-Token with the value from GET /v1/session.";
    OriginNotAllowed = FORBIDDEN, "origin_not_allowed", "This website may not use it",
        "The source takes requests from certain websites only, and the Origin header names another one or none.";
    VerifyTokenInvalid = FORBIDDEN, "verify_token_invalid", "The verify token does not fit",
        "The handshake does not carry the verify token of the webhook, or the webhook has none.";
    CallbackForged = FORBIDDEN, "callback_forged", "The callback is not the provider's",
        "It carries no signature or token, or one that does not fit the channel's secrets.";
    NotFound = NOT_FOUND, "not_found", "Not found",
        "There is no such thing here, or it belongs to another workspace.";
    InvitationInvalid = NOT_FOUND, "invitation_invalid", "The invitation does not count",
        "The link is unknown, was used, was taken back or is too old. Whoever sent it can send a new one.";
    UnknownKey = NOT_FOUND, "unknown_key", "Unknown key",
        "No source has the key in the address; it may have been deleted or its key may have been replaced.";
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed",
        "The address exists but does not answer this method; the Allow header lists those it does.";
    RequestTimeout = REQUEST_TIMEOUT, "request_timeout", "The body took too long",
        "The body did not arrive in time. Send it again.";
    Conflict = CONFLICT, "conflict", "Conflict",
        "The change contradicts what is stored; `detail` says how.";
    StaleVersion = CONFLICT, "stale_version", "Somebody else changed it",
        "Another version was made since the one that the request goes by. Fetch it, look at what differs, and try again.";
    RescoreUnderWay = CONFLICT, "rescore_under_way", "A re-score goes on already",
        "All leads of the workspace are being scored again. Wait until that is done, or cancel it.";
    ReplayUnderWay = CONFLICT, "replay_under_way", "Deliveries are being sent again already",
        "A workspace sends many deliveries again in one go at a time. Wait until that is done, or stop it.";
    TooManyJobs = CONFLICT, "too_many_jobs", "Too many jobs go on already",
        "A workspace has at most 20 jobs that have not ended. Wait until one is done, or stop one.";
    JobEnded = CONFLICT, "job_ended", "The job has ended",
        "There is nothing to stop any more.";
    JobMustEnd = CONFLICT, "job_must_end", "The job must come to its end",
        "It has begun, and half of it would be worse than none or all: nobody stops an erasure that has begun.";
    JobNotUndoable = CONFLICT, "job_not_undoable", "The job cannot be put back",
        "It goes on, changed nothing, was put back already, or is of a kind that cannot be put back.";
    AlreadySuppressed = CONFLICT, "already_suppressed", "In the list already",
        "Whoever has this address or number must not be written to already.";
    ConsentWithdrawn = CONFLICT, "consent_withdrawn", "Withdrawn already",
        "The consent was taken back before.";
    SignInOver = CONFLICT, "sign_in_over", "The sign-in is over",
        "It took too long, was finished already, or began in another browser. Begin again.";
    AlreadySetUp = CONFLICT, "already_set_up", "Already set up",
        "The first workspace and user exist already. Sign in instead.";
    ImportBegun = CONFLICT, "import_begun", "The import has begun",
        "Leads are made of the file already. What it made can be put back by its job; the file itself can be brought again.";
    FileTooLarge = PAYLOAD_TOO_LARGE, "file_too_large", "The file is too large",
        "Files of leads may have as many megabytes as the operator set (LEADLINE_IMPORT_MAX_MB). Split the file.";
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large",
        "Bodies may have 1 MiB.";
    TooManyFields = PAYLOAD_TOO_LARGE, "too_many_fields", "Too many fields",
        "The body holds more fields, parts or values than are taken.";
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported content type",
        "The content type, its charset or the content encoding is not one that is read here.";
    UnknownField = UNPROCESSABLE_ENTITY, "unknown_field", "Unknown field",
        "The body has a field that does not exist; `errors` points at it.";
    InvalidFields = UNPROCESSABLE_ENTITY, "invalid_fields", "Some fields are not valid",
        "`errors` points at each field and says what is wrong with it.";
    NotAnObject = UNPROCESSABLE_ENTITY, "not_an_object", "The body is not an object",
        "The JSON is valid but is an array or a single value. Send one object for each submission.";
    UnreadableFile = UNPROCESSABLE_ENTITY, "unreadable_file", "The file cannot be read",
        "It is no table of leads that is read here, or a part of it is broken; `detail` says what.";
    NothingToIdentifyBy = UNPROCESSABLE_ENTITY, "nothing_to_identify_by", "Nothing to identify a lead by",
        "The submission has no name, e-mail address or phone number.";
    ProviderFailed = FAILED_DEPENDENCY, "provider_failed", "The sign-in provider cannot be used",
        "It could not be asked, or says something of itself that cannot be used; `detail` says what.";
    TooManyAttempts = TOO_MANY_REQUESTS, "too_many_attempts", "Too many attempts",
        "Too many failed attempts to sign in. Wait as long as the header Retry-After says.";
    TooManyRequests = TOO_MANY_REQUESTS, "too_many_requests", "Too many requests",
        "Slow down, and wait as long as the header Retry-After says.";
    Internal = INTERNAL_SERVER_ERROR, "internal", "Something went wrong here",
        "The fault is ours. The server's log has the details under the request id.";
    Busy = SERVICE_UNAVAILABLE, "busy", "Too busy",
        "The server holds as many unfinished requests as it can. Try again shortly.";
    Unavailable = SERVICE_UNAVAILABLE, "unavailable", "Not available at the moment",
        "The store does not answer. Nothing was accepted; try again.";
}
