CREATE TABLE suppressions (
    workspace_id $ID NOT NULL, key $BYTES NOT NULL, id $ID NOT NULL UNIQUE, kind TEXT NOT NULL, reason TEXT NOT NULL,
    note TEXT, added_by TEXT NOT NULL, added_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, key)) $CLUSTERED;
CREATE INDEX suppressions_by_time ON suppressions (workspace_id, added_at, id);
-- Whom somebody had erased lately, as keyed hashes: what of them waited elsewhere meanwhile is not stored again.
CREATE TABLE erased_keys (
    key $BYTES NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, erased_at BIGINT NOT NULL) $CLUSTERED;
CREATE INDEX erased_keys_by_age ON erased_keys (erased_at);
CREATE TABLE consents (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, lead_id $ID NOT NULL, submission_id $ID NOT NULL,
    purpose TEXT NOT NULL, field TEXT NOT NULL, wording TEXT NOT NULL, source_name TEXT NOT NULL, page_url TEXT,
    given_at BIGINT NOT NULL, withdrawn_at BIGINT, withdrawn_by TEXT);
CREATE INDEX consents_of_lead ON consents (lead_id, given_at);
