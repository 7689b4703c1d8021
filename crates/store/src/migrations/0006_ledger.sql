CREATE TABLE ledger_deltas (
    number $NUMBER, workspace_id $ID NOT NULL, bucket BIGINT NOT NULL, source_id $ID NOT NULL,
    accepted BIGINT NOT NULL, stored BIGINT NOT NULL, excluded_by_rule BIGINT NOT NULL, erased BIGINT NOT NULL,
    owed BIGINT NOT NULL, delivered BIGINT NOT NULL, dead BIGINT NOT NULL, cancelled BIGINT NOT NULL);
CREATE TABLE ledger_counts (
    workspace_id $ID NOT NULL, bucket BIGINT NOT NULL, source_id $ID NOT NULL,
    accepted BIGINT NOT NULL, stored BIGINT NOT NULL, excluded_by_rule BIGINT NOT NULL, erased BIGINT NOT NULL,
    owed BIGINT NOT NULL, delivered BIGINT NOT NULL, dead BIGINT NOT NULL, cancelled BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, bucket, source_id)) $CLUSTERED;
ALTER TABLE deliveries ADD COLUMN source_id $ID;
ALTER TABLE deliveries ADD COLUMN repeat_count BIGINT NOT NULL DEFAULT 0;
UPDATE deliveries SET source_id = (SELECT s.source_id FROM lead_submissions s WHERE s.id = deliveries.submission_id)
    WHERE submission_id IS NOT NULL;
UPDATE deliveries SET repeat_count =
        (SELECT count(*) FROM delivery_attempts a
         WHERE a.delivery_id = deliveries.id AND a.status BETWEEN 200 AND 299)
    WHERE attempt_count > 1;
INSERT INTO ledger_counts (workspace_id, bucket, source_id, accepted, stored, excluded_by_rule, erased, owed,
                           delivered, dead, cancelled)
    SELECT workspace_id, bucket, source_id, sum(accepted), sum(stored), 0, 0, sum(owed), sum(delivered), sum(dead),
           sum(cancelled)
    FROM (SELECT s.workspace_id, s.received_at - s.received_at % 900000 AS bucket,
                 coalesce(s.source_id, '00000000-0000-0000-0000-000000000000') AS source_id,
                 1 AS accepted, CASE WHEN e.id IS NULL THEN 1 ELSE 0 END AS stored, 0 AS owed, 0 AS delivered,
                 0 AS dead, 0 AS cancelled
          FROM lead_submissions s
          LEFT JOIN events e ON e.submission_id = s.id AND NOT e.dispatched
               AND e.kind IN ('lead.created', 'lead.re_engaged', 'lead.resubmitted')
          UNION ALL
          SELECT d.workspace_id, d.created_at - d.created_at % 900000,
                 coalesce(d.source_id, '00000000-0000-0000-0000-000000000000'), 0, 0, 1,
                 CASE WHEN d.state = 'delivered' THEN 1 ELSE 0 END, CASE WHEN d.state = 'dead' THEN 1 ELSE 0 END,
                 CASE WHEN d.state = 'cancelled' THEN 1 ELSE 0 END
          FROM deliveries d WHERE d.submission_id IS NOT NULL) AS t
    GROUP BY workspace_id, bucket, source_id;
CREATE TABLE schedules (name TEXT NOT NULL PRIMARY KEY, ran_at BIGINT NOT NULL, state $JSON NOT NULL) $CLUSTERED;
INSERT INTO schedules (name, ran_at, state) VALUES ('watch', 0, '{}'), ('retention', 0, '{}');
CREATE TABLE alerts (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, kind TEXT NOT NULL, subject_id $ID NOT NULL,
    subject_name TEXT NOT NULL, data $JSON NOT NULL, opened_at BIGINT NOT NULL, acknowledged_at BIGINT,
    acknowledged_by TEXT, closed_at BIGINT);
CREATE UNIQUE INDEX alerts_open ON alerts (workspace_id, kind, subject_id) WHERE closed_at IS NULL;
CREATE INDEX alerts_of_workspace ON alerts (workspace_id, opened_at);
CREATE INDEX alerts_by_closing ON alerts (closed_at) WHERE closed_at IS NOT NULL;
CREATE TABLE source_watches (
    source_id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, silent_after_minutes BIGINT NOT NULL,
    cooldown_minutes BIGINT NOT NULL, business_hours $JSON NOT NULL, watched_since BIGINT NOT NULL,
    alerted_at BIGINT) $CLUSTERED;
CREATE INDEX source_watches_of_workspace ON source_watches (workspace_id);
