CREATE TABLE conversations (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, source_id $ID, lead_id $ID, contact_id $ID,
    submission_id $ID, channel TEXT NOT NULL, state TEXT NOT NULL, reference TEXT, external_id TEXT, tags $JSON NOT NULL,
    fields $JSON NOT NULL, message_count BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    last_message_at BIGINT, idle_at BIGINT, completed_at BIGINT);
CREATE UNIQUE INDEX conversations_by_reference ON conversations (workspace_id, reference)
    WHERE reference IS NOT NULL AND state <> 'completed';
CREATE INDEX conversations_of_lead ON conversations (lead_id, created_at);
CREATE INDEX conversations_of_contact ON conversations (contact_id, created_at);
CREATE INDEX conversations_of_source ON conversations (source_id, created_at);
CREATE INDEX conversations_of_submission ON conversations (submission_id);
CREATE INDEX conversations_idle ON conversations (idle_at) WHERE state = 'in_progress';
CREATE TABLE messages (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, conversation_id $ID NOT NULL, direction TEXT NOT NULL,
    author TEXT NOT NULL, body TEXT NOT NULL, sent_at BIGINT NOT NULL, position BIGINT NOT NULL,
    created_at BIGINT NOT NULL);
CREATE INDEX messages_of_conversation ON messages (conversation_id, sent_at, position);
ALTER TABLE leads ADD COLUMN lead_state TEXT NOT NULL DEFAULT 'completed';
CREATE INDEX lead_captures_of_workspace ON lead_captures (workspace_id, captured_at);
