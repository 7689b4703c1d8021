CREATE TABLE crm_links (
    lead_id $ID NOT NULL, destination_id $ID NOT NULL, workspace_id $ID NOT NULL, delivery_id $ID NOT NULL,
    crm_lead_id TEXT, crm_lead_url TEXT, execution_url TEXT, change_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    PRIMARY KEY (lead_id, destination_id)) $CLUSTERED;
CREATE INDEX deliveries_by_event ON deliveries (workspace_id, event, created_at);
CREATE INDEX deliveries_by_answer ON deliveries (workspace_id, last_status, created_at) WHERE last_error IS NOT NULL;
CREATE INDEX deliveries_dead_of ON deliveries (destination_id, finished_at) WHERE state = 'dead';
CREATE TABLE replay_jobs (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, state TEXT NOT NULL, chosen $JSON NOT NULL,
    as_of BIGINT NOT NULL, total BIGINT NOT NULL, done BIGINT NOT NULL, replayed BIGINT NOT NULL,
    cursor_at BIGINT, cursor_id $ID, started_by TEXT NOT NULL, started_at BIGINT NOT NULL, moved_at BIGINT NOT NULL,
    finished_at BIGINT);
CREATE UNIQUE INDEX replay_jobs_open ON replay_jobs (workspace_id) WHERE finished_at IS NULL;
CREATE INDEX replay_jobs_of_workspace ON replay_jobs (workspace_id, started_at);
CREATE TABLE destination_hours (
    destination_id $ID NOT NULL, hour BIGINT NOT NULL, workspace_id $ID NOT NULL,
    delivered BIGINT NOT NULL, failed BIGINT NOT NULL,
    b0 BIGINT NOT NULL DEFAULT 0, b1 BIGINT NOT NULL DEFAULT 0, b2 BIGINT NOT NULL DEFAULT 0,
    b3 BIGINT NOT NULL DEFAULT 0, b4 BIGINT NOT NULL DEFAULT 0, b5 BIGINT NOT NULL DEFAULT 0,
    b6 BIGINT NOT NULL DEFAULT 0, b7 BIGINT NOT NULL DEFAULT 0, b8 BIGINT NOT NULL DEFAULT 0,
    b9 BIGINT NOT NULL DEFAULT 0, b10 BIGINT NOT NULL DEFAULT 0, b11 BIGINT NOT NULL DEFAULT 0,
    b12 BIGINT NOT NULL DEFAULT 0, b13 BIGINT NOT NULL DEFAULT 0, b14 BIGINT NOT NULL DEFAULT 0,
    b15 BIGINT NOT NULL DEFAULT 0,
    last_at BIGINT NOT NULL, last_status BIGINT, last_error TEXT, failed_at BIGINT, failure TEXT,
    PRIMARY KEY (destination_id, hour)) $CLUSTERED;
INSERT INTO destination_hours (destination_id, hour, workspace_id, delivered, failed, last_at)
    SELECT destination_id, finished_at - finished_at % 3600000, workspace_id,
           sum(CASE WHEN state = 'delivered' THEN 1 ELSE 0 END), sum(CASE WHEN state = 'dead' THEN 1 ELSE 0 END),
           max(finished_at)
    FROM deliveries
    WHERE state IN ('delivered', 'dead') AND finished_at > (SELECT max(created_at) FROM deliveries) - 86400000
    GROUP BY destination_id, finished_at - finished_at % 3600000, workspace_id;
ALTER TABLE destinations ADD COLUMN breaker_failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE destinations ADD COLUMN breaker_opened_at BIGINT;
ALTER TABLE destinations ADD COLUMN breaker_probes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE destinations ADD COLUMN breaker_probe_at BIGINT;
