CREATE TABLE automation_sendings_new (
    run_id $ID NOT NULL, step BIGINT NOT NULL, number BIGINT NOT NULL, workspace_id $ID NOT NULL, lead_id $ID NOT NULL,
    channel TEXT, template_id $ID, message_id $ID, status TEXT NOT NULL, reason TEXT, error TEXT, due_at BIGINT NOT NULL,
    started_at BIGINT, sent_at BIGINT, updated_at BIGINT NOT NULL, kind TEXT NOT NULL,
    PRIMARY KEY (run_id, step, number)) $CLUSTERED;
INSERT INTO automation_sendings_new (run_id, step, number, workspace_id, lead_id, channel, template_id, message_id, status,
    reason, error, due_at, started_at, sent_at, updated_at, kind)
    SELECT run_id, step, number, workspace_id, lead_id, channel, template_id, message_id, status,
        reason, error, due_at, started_at, sent_at, updated_at, 'message' FROM automation_sendings;
DROP TABLE automation_sendings;
ALTER TABLE automation_sendings_new RENAME TO automation_sendings;
CREATE INDEX automation_sendings_due ON automation_sendings (due_at) WHERE status = 'waiting';
CREATE INDEX automation_sendings_of_lead ON automation_sendings (lead_id);
CREATE UNIQUE INDEX automation_sendings_by_message ON automation_sendings (message_id) WHERE message_id IS NOT NULL;
ALTER TABLE automation_runs ADD COLUMN depth BIGINT NOT NULL DEFAULT 0;
ALTER TABLE lead_automation_workflows ADD COLUMN start_condition $JSON;
ALTER TABLE lead_automation_workflows ADD COLUMN exit_stage_id $ID;
ALTER TABLE segments ADD COLUMN is_followed BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE segments ADD COLUMN followed_since BIGINT;
ALTER TABLE segments ADD COLUMN taken_down_at BIGINT;
ALTER TABLE segments ADD COLUMN taken_down_to $ID;
CREATE TABLE segment_members (
    segment_id $ID NOT NULL, lead_id $ID NOT NULL, workspace_id $ID NOT NULL, entered_at BIGINT NOT NULL,
    PRIMARY KEY (segment_id, lead_id)) $CLUSTERED;
CREATE INDEX segment_members_of_lead ON segment_members (lead_id);
CREATE INDEX segments_followed ON segments (workspace_id) WHERE is_followed;
CREATE INDEX segments_to_take_down ON segments (updated_at) WHERE is_followed AND followed_since IS NULL;
