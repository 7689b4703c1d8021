CREATE TABLE sign_in_providers (
    workspace_id $ID NOT NULL PRIMARY KEY, label TEXT NOT NULL, issuer TEXT NOT NULL, client_id TEXT NOT NULL,
    client_secret_sealed TEXT NOT NULL, domains $JSON NOT NULL, role TEXT, role_id $ID,
    takes_passwords BOOLEAN NOT NULL, is_enabled BOOLEAN NOT NULL, created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL, last_used_at BIGINT);
CREATE INDEX sign_in_providers_of_role ON sign_in_providers (role_id) WHERE role_id IS NOT NULL;
CREATE TABLE sign_in_subjects (
    workspace_id $ID NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL, user_id $ID NOT NULL,
    created_at BIGINT NOT NULL, last_used_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, issuer, subject)) $CLUSTERED;
CREATE UNIQUE INDEX sign_in_subjects_of_user ON sign_in_subjects (user_id, workspace_id, issuer);
CREATE TABLE sign_ins_begun (
    key $BYTES NOT NULL PRIMARY KEY, browser $BYTES NOT NULL, workspace_id $ID NOT NULL, return_to TEXT NOT NULL,
    vouched $JSON, expires_at BIGINT NOT NULL) $CLUSTERED;
CREATE INDEX sign_ins_begun_by_expiry ON sign_ins_begun (expires_at);
ALTER TABLE credentials ADD COLUMN provider_of $ID;
CREATE INDEX credentials_of_provider ON credentials (provider_of) WHERE provider_of IS NOT NULL;
DROP INDEX lead_captures_by_expiry;
DROP INDEX quarantine_by_expiry;
DROP INDEX blocked_ip_leads_by_expiry;
DROP INDEX refused_requests_by_expiry;
