ALTER TABLE messages ADD COLUMN quoted TEXT;
ALTER TABLE messages ADD COLUMN is_automatic BOOLEAN NOT NULL DEFAULT FALSE;
CREATE TABLE mailboxes (
    channel_id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, uid_validity BIGINT, last_uid BIGINT NOT NULL,
    next_at BIGINT NOT NULL, failures BIGINT NOT NULL, read_at BIGINT);
CREATE INDEX mailboxes_due ON mailboxes (next_at);
CREATE TABLE attachments (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, conversation_id $ID NOT NULL, message_id $ID,
    channel_id $ID, user_id $ID, position BIGINT NOT NULL, file_name TEXT NOT NULL, content_type TEXT NOT NULL,
    picture_type TEXT, size_bytes BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT, place TEXT,
    attempt_count BIGINT NOT NULL, due_at BIGINT, created_at BIGINT NOT NULL);
CREATE INDEX attachments_of_message ON attachments (message_id, position) WHERE message_id IS NOT NULL;
CREATE INDEX attachments_of_conversation ON attachments (conversation_id, id);
CREATE INDEX attachments_due ON attachments (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX attachments_unsent ON attachments (created_at) WHERE message_id IS NULL;
CREATE TABLE attachment_blocks (
    attachment_id $ID NOT NULL, number BIGINT NOT NULL, conversation_id $ID NOT NULL, bytes $BYTES NOT NULL,
    PRIMARY KEY (attachment_id, number));
CREATE INDEX attachment_blocks_of_conversation ON attachment_blocks (conversation_id);
ALTER TABLE message_templates ADD COLUMN category TEXT;
ALTER TABLE message_templates ADD COLUMN channel_id $ID;
ALTER TABLE message_templates ADD COLUMN provider_id TEXT;
ALTER TABLE message_templates ADD COLUMN synced_at BIGINT;
CREATE INDEX message_templates_by_provider_name ON message_templates (workspace_id, provider_name)
    WHERE provider_name IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX conversations_open ON conversations (workspace_id, last_message_at, id)
    WHERE last_message_at IS NOT NULL AND closed_at IS NULL;
CREATE INDEX conversations_unread ON conversations (workspace_id, last_message_at, id)
    WHERE last_message_at IS NOT NULL AND closed_at IS NULL AND unread_count > 0;
CREATE INDEX conversations_owned ON conversations (workspace_id, assigned_to, last_message_at, id)
    WHERE last_message_at IS NOT NULL AND assigned_to IS NOT NULL;
