CREATE TABLE work_settings (
    workspace_id $ID NOT NULL PRIMARY KEY, hours $JSON NOT NULL, holidays $JSON NOT NULL,
    respond_within_minutes BIGINT, escalate_after_minutes BIGINT, escalate_to $JSON NOT NULL,
    reassigns BOOLEAN NOT NULL, counts_assignment BOOLEAN NOT NULL, version BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE TABLE assignment_rules (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, position BIGINT NOT NULL, name TEXT NOT NULL,
    is_active BOOLEAN NOT NULL, filter $JSON NOT NULL, method TEXT NOT NULL, members $JSON NOT NULL,
    only_available BOOLEAN NOT NULL, takes_returning BOOLEAN NOT NULL, fallback_user_id $ID,
    respond_within_minutes BIGINT, last_user_id $ID, assigned_count BIGINT NOT NULL, last_assigned_at BIGINT,
    version BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE INDEX assignment_rules_of_workspace ON assignment_rules (workspace_id, position, id);
CREATE TABLE lead_arrivals (
    lead_id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, kind TEXT NOT NULL, starts_clock BOOLEAN NOT NULL,
    arrived_at BIGINT NOT NULL, due_at BIGINT NOT NULL) $CLUSTERED;
CREATE INDEX lead_arrivals_due ON lead_arrivals (due_at);
CREATE INDEX lead_arrivals_of_workspace ON lead_arrivals (workspace_id, due_at);
CREATE TABLE lead_responses (
    lead_id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, rule_id $ID, started_at BIGINT NOT NULL,
    due_at BIGINT NOT NULL, escalate_at BIGINT, next_at BIGINT, told_at BIGINT, escalated_at BIGINT,
    answered_at BIGINT, answered_by $ID, answered_in_ms BIGINT) $CLUSTERED;
CREATE INDEX lead_responses_next ON lead_responses (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE tasks (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, lead_id $ID, title TEXT NOT NULL, assignee_id $ID NOT NULL,
    due_at BIGINT, sort_at BIGINT NOT NULL, remind_at BIGINT, reminded_at BIGINT, overdue_told_at BIGINT,
    next_at BIGINT, done_at BIGINT, done_by_name TEXT, made_by $ID, made_by_name TEXT NOT NULL, version BIGINT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE INDEX tasks_of_lead ON tasks (lead_id, sort_at) WHERE lead_id IS NOT NULL;
CREATE INDEX tasks_open ON tasks (workspace_id, sort_at, id) WHERE done_at IS NULL;
CREATE INDEX tasks_open_of_user ON tasks (workspace_id, assignee_id, sort_at, id) WHERE done_at IS NULL;
CREATE INDEX tasks_done ON tasks (workspace_id, done_at, id) WHERE done_at IS NOT NULL;
CREATE INDEX tasks_done_of_user ON tasks (workspace_id, assignee_id, done_at, id) WHERE done_at IS NOT NULL;
CREATE INDEX tasks_next ON tasks (next_at) WHERE next_at IS NOT NULL;
CREATE TABLE personal_alerts (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, user_id $ID NOT NULL, kind TEXT NOT NULL, lead_id $ID,
    task_id $ID, n BIGINT NOT NULL, created_at BIGINT NOT NULL, seen_at BIGINT);
CREATE INDEX personal_alerts_unseen ON personal_alerts (workspace_id, user_id, created_at, id) WHERE seen_at IS NULL;
CREATE INDEX personal_alerts_of_lead ON personal_alerts (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX personal_alerts_of_task ON personal_alerts (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX personal_alerts_by_creation ON personal_alerts (created_at);
ALTER TABLE memberships ADD COLUMN away_until BIGINT;
ALTER TABLE memberships ADD COLUMN work_hours $JSON;
ALTER TABLE memberships ADD COLUMN alert_wishes $JSON;
CREATE INDEX leads_open_of_owner ON leads (assigned_to, stage_id) WHERE assigned_to IS NOT NULL AND deleted_at IS NULL;
