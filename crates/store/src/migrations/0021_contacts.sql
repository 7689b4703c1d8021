ALTER TABLE contacts ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE contacts ADD COLUMN edited_at BIGINT;
DROP INDEX contacts_of_workspace;
CREATE INDEX contacts_by_creation ON contacts (workspace_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_update ON contacts (workspace_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_by_name ON contacts (workspace_id, lower(display_name), id) WHERE deleted_at IS NULL;
CREATE INDEX contacts_tagged ON contacts (workspace_id, created_at, id) WHERE tags <> '[]' AND deleted_at IS NULL;
CREATE INDEX contacts_won ON contacts (workspace_id, created_at, id)
    WHERE lifecycle <> 'lead' AND deleted_at IS NULL;
CREATE INDEX contacts_edited ON contacts (workspace_id, edited_at) WHERE edited_at IS NOT NULL;
UPDATE contacts SET edited_at = updated_at WHERE updated_at > created_at;
CREATE TABLE segments (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, name TEXT NOT NULL, description TEXT, filter $JSON NOT NULL,
    version BIGINT NOT NULL, made_by TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE INDEX segments_of_workspace ON segments (workspace_id, created_at);
