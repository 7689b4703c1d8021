ALTER TABLE memberships ADD COLUMN wants_alert_mails BOOLEAN NOT NULL DEFAULT TRUE;
CREATE TABLE mails (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, user_id $ID NOT NULL, recipient TEXT NOT NULL,
    subject TEXT NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL, attempt_count BIGINT NOT NULL,
    due_at BIGINT NOT NULL, last_error TEXT, created_at BIGINT NOT NULL, finished_at BIGINT);
CREATE INDEX mails_due ON mails (due_at) WHERE state = 'pending';
CREATE INDEX mails_of_workspace ON mails (workspace_id, created_at);
CREATE INDEX mails_by_creation ON mails (created_at)
