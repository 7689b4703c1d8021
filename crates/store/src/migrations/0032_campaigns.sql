CREATE TABLE campaigns (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL,
    channel TEXT NOT NULL, channel_id $ID, template_id $ID, audience $JSON NOT NULL, content $JSON NOT NULL,
    plan $JSON NOT NULL, starts_at BIGINT, next_at BIGINT, next_slot_at BIGINT NOT NULL DEFAULT 0, gathered $JSON,
    recipient_count BIGINT NOT NULL DEFAULT 0, asked_count BIGINT NOT NULL DEFAULT 0,
    skipped_count BIGINT NOT NULL DEFAULT 0, decide_at BIGINT, winner BIGINT, error TEXT, version BIGINT NOT NULL,
    made_by TEXT NOT NULL, copied_from $ID, started_at BIGINT, finished_at BIGINT, created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL, deleted_at BIGINT);
CREATE INDEX campaigns_of_workspace ON campaigns (workspace_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX campaigns_due ON campaigns (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE campaign_recipients (
    campaign_id $ID NOT NULL, contact_id $ID NOT NULL, workspace_id $ID NOT NULL, lead_id $ID NOT NULL,
    has_address BOOLEAN NOT NULL, variant BIGINT NOT NULL, wave BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT,
    message_id $ID, due_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, contact_id)) $CLUSTERED;
CREATE INDEX campaign_recipients_waiting ON campaign_recipients (campaign_id, wave, due_at) WHERE state = 'waiting';
CREATE INDEX campaign_recipients_skipped ON campaign_recipients (campaign_id, reason) WHERE state = 'skipped';
CREATE UNIQUE INDEX campaign_recipients_by_message ON campaign_recipients (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX campaign_recipients_of_lead ON campaign_recipients (lead_id);
CREATE INDEX messages_open_of_cause ON messages (cause_id) WHERE cause_kind = 'campaign' AND status IN ('queued', 'sending');
CREATE TABLE message_hits (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, message_id $ID NOT NULL, lead_id $ID NOT NULL,
    subject_id $ID NOT NULL, kind TEXT NOT NULL, link TEXT NOT NULL, agent TEXT NOT NULL, network TEXT, sign TEXT,
    why TEXT, hit_at BIGINT NOT NULL);
CREATE INDEX message_hits_of_message ON message_hits (message_id, hit_at);
CREATE INDEX message_hits_of_subject ON message_hits (subject_id, kind, link);
CREATE INDEX message_hits_of_lead ON message_hits (lead_id);
CREATE TABLE message_reactions (
    message_id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, lead_id $ID NOT NULL, human_open_at BIGINT,
    machine_open_at BIGINT, human_click_at BIGINT, machine_click_at BIGINT, unsubscribed_at BIGINT, replied_at BIGINT,
    hit_count BIGINT NOT NULL);
CREATE INDEX message_reactions_of_lead ON message_reactions (lead_id);
CREATE TABLE message_figures (
    workspace_id $ID NOT NULL, subject_id $ID NOT NULL, hour BIGINT NOT NULL, step BIGINT NOT NULL,
    channel TEXT NOT NULL, cause_kind TEXT NOT NULL, sent BIGINT NOT NULL, delivered BIGINT NOT NULL,
    seen BIGINT NOT NULL, failed BIGINT NOT NULL, unclear BIGINT NOT NULL, skipped BIGINT NOT NULL,
    human_opens BIGINT NOT NULL, machine_opens BIGINT NOT NULL, human_clicks BIGINT NOT NULL,
    machine_clicks BIGINT NOT NULL, unsubscribed BIGINT NOT NULL, replied BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, subject_id, hour, step, channel)) $CLUSTERED;
