CREATE TABLE lead_automation_workflows (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, name TEXT NOT NULL, description TEXT, webhook_source_id $ID,
    starts_on $JSON NOT NULL, steps $JSON NOT NULL, safety_lock_minutes BIGINT NOT NULL, quiet_hours $JSON,
    exit_on $JSON NOT NULL, is_active BOOLEAN NOT NULL, version BIGINT NOT NULL, triggered_count BIGINT NOT NULL,
    completed_count BIGINT NOT NULL, failed_count BIGINT NOT NULL, skipped_count BIGINT NOT NULL,
    last_triggered_at BIGINT, made_by TEXT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    deleted_at BIGINT);
CREATE INDEX lead_automation_workflows_of_workspace ON lead_automation_workflows (workspace_id, created_at)
    WHERE deleted_at IS NULL;
CREATE TABLE automation_versions (
    automation_id $ID NOT NULL, version BIGINT NOT NULL, definition $JSON NOT NULL, created_at BIGINT NOT NULL,
    PRIMARY KEY (automation_id, version)) $CLUSTERED;
CREATE TABLE automation_runs (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, automation_id $ID NOT NULL, version BIGINT NOT NULL,
    lead_id $ID NOT NULL, event_id $ID NOT NULL, state TEXT NOT NULL, reason TEXT, step BIGINT NOT NULL,
    line_count BIGINT NOT NULL, started_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, finished_at BIGINT);
CREATE INDEX automation_runs_of_automation ON automation_runs (automation_id, started_at, id);
CREATE INDEX automation_runs_by_state ON automation_runs (automation_id, state, started_at, id);
CREATE INDEX automation_runs_of_lead ON automation_runs (lead_id, started_at, id);
CREATE TABLE automation_sendings (
    run_id $ID NOT NULL, step BIGINT NOT NULL, number BIGINT NOT NULL, workspace_id $ID NOT NULL, lead_id $ID NOT NULL,
    channel TEXT NOT NULL, template_id $ID NOT NULL, message_id $ID, status TEXT NOT NULL, reason TEXT, error TEXT, due_at BIGINT NOT NULL,
    started_at BIGINT, sent_at BIGINT, updated_at BIGINT NOT NULL,
    PRIMARY KEY (run_id, step, number)) $CLUSTERED;
CREATE INDEX automation_sendings_due ON automation_sendings (due_at) WHERE status = 'waiting';
CREATE INDEX automation_sendings_of_lead ON automation_sendings (lead_id);
CREATE UNIQUE INDEX automation_sendings_by_message ON automation_sendings (message_id) WHERE message_id IS NOT NULL;
CREATE TABLE automation_locks (
    automation_id $ID NOT NULL, key $BYTES NOT NULL, taken_at BIGINT NOT NULL,
    PRIMARY KEY (automation_id, key)) $CLUSTERED;
CREATE INDEX automation_locks_by_age ON automation_locks (taken_at);
