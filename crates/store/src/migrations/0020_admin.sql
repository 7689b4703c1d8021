CREATE TABLE audit_entries (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, actor_kind TEXT NOT NULL, actor_id $ID, credential_id $ID,
    actor_name TEXT NOT NULL, ip TEXT, action $RANK NOT NULL, object_kind TEXT NOT NULL, object_id TEXT,
    object_name TEXT NOT NULL, data $JSON NOT NULL, created_at BIGINT NOT NULL);
CREATE INDEX audit_entries_of_workspace ON audit_entries (workspace_id, created_at, id);
CREATE INDEX audit_entries_by_actor ON audit_entries (workspace_id, actor_id, created_at, id);
CREATE INDEX audit_entries_by_action ON audit_entries (workspace_id, action, created_at, id);
CREATE INDEX audit_entries_by_object ON audit_entries (workspace_id, object_id, created_at, id);
CREATE TABLE roles (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, name TEXT NOT NULL, permissions $JSON NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE UNIQUE INDEX roles_of_workspace ON roles (workspace_id, name);
ALTER TABLE memberships ADD COLUMN role_id $ID;
CREATE INDEX memberships_of_role ON memberships (role_id) WHERE role_id IS NOT NULL;
ALTER TABLE credentials ADD COLUMN role_id $ID;
ALTER TABLE credentials ADD COLUMN permissions $JSON;
ALTER TABLE credentials ADD COLUMN ip TEXT;
CREATE INDEX credentials_of_role ON credentials (role_id) WHERE role_id IS NOT NULL;
CREATE TABLE invitations (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, email TEXT NOT NULL, role TEXT NOT NULL, role_id $ID,
    token_hash $BYTES NOT NULL UNIQUE, invited_by $ID, invited_by_name TEXT NOT NULL, created_at BIGINT NOT NULL,
    sent_at BIGINT NOT NULL, expires_at BIGINT NOT NULL, accepted_at BIGINT, revoked_at BIGINT);
CREATE UNIQUE INDEX invitations_open ON invitations (workspace_id, email)
    WHERE accepted_at IS NULL AND revoked_at IS NULL;
CREATE INDEX invitations_of_role ON invitations (role_id) WHERE role_id IS NOT NULL;
CREATE TABLE second_factors (
    user_id $ID NOT NULL PRIMARY KEY, secret_sealed TEXT NOT NULL, last_step BIGINT NOT NULL,
    created_at BIGINT NOT NULL, confirmed_at BIGINT);
CREATE TABLE recovery_codes (
    user_id $ID NOT NULL, code_hash $BYTES NOT NULL, used_at BIGINT,
    PRIMARY KEY (user_id, code_hash)) $CLUSTERED
