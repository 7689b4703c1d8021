CREATE TABLE channels (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    settings $JSON NOT NULL, credentials_sealed TEXT, credential_hints $JSON NOT NULL, is_active BOOLEAN NOT NULL,
    per_minute BIGINT NOT NULL, max_in_flight BIGINT NOT NULL, next_slot_at BIGINT NOT NULL DEFAULT 0,
    last_sent_at BIGINT, last_error TEXT, last_error_at BIGINT, last_callback_at BIGINT,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, deleted_at BIGINT);
CREATE INDEX channels_of_workspace ON channels (workspace_id, created_at) WHERE deleted_at IS NULL;
CREATE TABLE message_templates (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, channel TEXT NOT NULL, name TEXT NOT NULL,
    language TEXT NOT NULL, subject TEXT, body TEXT NOT NULL, body_html TEXT, approval TEXT NOT NULL,
    approval_reason TEXT, provider_name TEXT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    deleted_at BIGINT);
CREATE UNIQUE INDEX message_templates_by_name ON message_templates (workspace_id, channel, name)
    WHERE deleted_at IS NULL;
ALTER TABLE messages ADD COLUMN channel TEXT;
ALTER TABLE messages ADD COLUMN channel_id $ID;
ALTER TABLE messages ADD COLUMN template_id $ID;
ALTER TABLE messages ADD COLUMN lead_id $ID;
ALTER TABLE messages ADD COLUMN contact_id $ID;
ALTER TABLE messages ADD COLUMN user_id $ID;
ALTER TABLE messages ADD COLUMN author_name TEXT;
ALTER TABLE messages ADD COLUMN address TEXT;
ALTER TABLE messages ADD COLUMN subject TEXT;
ALTER TABLE messages ADD COLUMN body_html TEXT;
ALTER TABLE messages ADD COLUMN status TEXT;
ALTER TABLE messages ADD COLUMN status_at BIGINT;
ALTER TABLE messages ADD COLUMN error_code TEXT;
ALTER TABLE messages ADD COLUMN error_message TEXT;
ALTER TABLE messages ADD COLUMN provider_id TEXT;
ALTER TABLE messages ADD COLUMN cause_kind TEXT;
ALTER TABLE messages ADD COLUMN cause_id $ID;
ALTER TABLE messages ADD COLUMN cause_step BIGINT;
ALTER TABLE messages ADD COLUMN due_at BIGINT;
ALTER TABLE messages ADD COLUMN leased_until BIGINT;
ALTER TABLE messages ADD COLUMN attempt_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN started_at BIGINT;
ALTER TABLE messages ADD COLUMN accepted_at BIGINT;
ALTER TABLE messages ADD COLUMN delivered_at BIGINT;
ALTER TABLE messages ADD COLUMN read_at BIGINT;
ALTER TABLE messages ADD COLUMN failed_at BIGINT;
ALTER TABLE messages ADD COLUMN referral $JSON;
CREATE INDEX messages_due ON messages (channel_id, due_at) WHERE status = 'queued';
CREATE INDEX messages_in_flight ON messages (channel_id, leased_until) WHERE status = 'sending';
CREATE INDEX messages_by_provider ON messages (channel_id, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX messages_of_lead ON messages (lead_id, created_at) WHERE lead_id IS NOT NULL;
CREATE INDEX messages_of_contact ON messages (contact_id, created_at) WHERE contact_id IS NOT NULL;
CREATE INDEX messages_of_cause ON messages (cause_id, cause_step) WHERE cause_id IS NOT NULL;
CREATE INDEX messages_of_workspace ON messages (workspace_id, created_at) WHERE status IS NOT NULL;
ALTER TABLE conversations ADD COLUMN channel_id $ID;
ALTER TABLE conversations ADD COLUMN address TEXT;
ALTER TABLE conversations ADD COLUMN person_ref TEXT;
ALTER TABLE conversations ADD COLUMN assigned_to $ID;
ALTER TABLE conversations ADD COLUMN unread_count BIGINT NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN snoozed_until BIGINT;
ALTER TABLE conversations ADD COLUMN closed_at BIGINT;
ALTER TABLE conversations ADD COLUMN last_inbound_at BIGINT;
ALTER TABLE conversations ADD COLUMN last_text TEXT;
ALTER TABLE conversations ADD COLUMN last_direction TEXT;
CREATE INDEX conversations_inbox ON conversations (workspace_id, last_message_at, id) WHERE last_message_at IS NOT NULL;
CREATE INDEX conversations_by_address ON conversations (workspace_id, channel, address) WHERE address IS NOT NULL;
CREATE INDEX conversations_by_person ON conversations (workspace_id, channel, person_ref) WHERE person_ref IS NOT NULL;
CREATE INDEX conversations_of_owner ON conversations (assigned_to, last_message_at) WHERE assigned_to IS NOT NULL;
CREATE TABLE canned_replies (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE UNIQUE INDEX canned_replies_of_workspace ON canned_replies (workspace_id, name);
CREATE TABLE sandbox_arrivals (
    message_id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, channel_id $ID NOT NULL, lead_id $ID, contact_id $ID,
    kind TEXT NOT NULL, address TEXT NOT NULL, subject TEXT, body TEXT NOT NULL, body_html TEXT, plan TEXT NOT NULL,
    times BIGINT NOT NULL, next_report TEXT, report_at BIGINT, arrived_at BIGINT NOT NULL, opened_at BIGINT);
CREATE INDEX sandbox_arrivals_of_channel ON sandbox_arrivals (channel_id, arrived_at);
CREATE INDEX sandbox_arrivals_at ON sandbox_arrivals (channel_id, address, arrived_at);
CREATE INDEX sandbox_arrivals_of_lead ON sandbox_arrivals (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX sandbox_arrivals_to_report ON sandbox_arrivals (report_at) WHERE report_at IS NOT NULL;
CREATE TABLE audiences (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, name TEXT NOT NULL, made_by TEXT NOT NULL,
    member_count BIGINT NOT NULL, created_at BIGINT NOT NULL, deleted_at BIGINT);
CREATE INDEX audiences_of_workspace ON audiences (workspace_id, created_at) WHERE deleted_at IS NULL;
CREATE TABLE audience_members (
    audience_id $ID NOT NULL, lead_id $ID NOT NULL, workspace_id $ID NOT NULL, contact_id $ID, created_at BIGINT NOT NULL,
    PRIMARY KEY (audience_id, lead_id)) $CLUSTERED;
CREATE INDEX audience_members_of_lead ON audience_members (lead_id);
