CREATE TABLE scoring_versions (
    workspace_id $ID NOT NULL, version BIGINT NOT NULL, differing $JSON NOT NULL, note TEXT, made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, version)) $CLUSTERED;
CREATE TABLE lead_scores (
    lead_id $ID NOT NULL, number BIGINT NOT NULL, workspace_id $ID NOT NULL, at BIGINT NOT NULL, score BIGINT NOT NULL,
    fit BIGINT NOT NULL, engagement BIGINT, suspicion BIGINT NOT NULL, silence BIGINT NOT NULL, version BIGINT NOT NULL,
    cause TEXT NOT NULL,
    PRIMARY KEY (lead_id, number)) $CLUSTERED;
CREATE TABLE rescore_jobs (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, cause TEXT NOT NULL, state TEXT NOT NULL,
    version BIGINT NOT NULL, as_of BIGINT NOT NULL, total BIGINT NOT NULL, done BIGINT NOT NULL,
    changed BIGINT NOT NULL, cursor_created_at BIGINT, cursor_id $ID, started_by TEXT NOT NULL,
    started_at BIGINT NOT NULL, moved_at BIGINT NOT NULL, finished_at BIGINT);
CREATE UNIQUE INDEX rescore_jobs_open ON rescore_jobs (workspace_id) WHERE finished_at IS NULL;
CREATE INDEX rescore_jobs_of_workspace ON rescore_jobs (workspace_id, started_at);
ALTER TABLE leads ADD COLUMN score_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE leads ADD COLUMN engagement_reasons $JSON;
ALTER TABLE leads ADD COLUMN last_visit_at BIGINT;
INSERT INTO schedules (name, ran_at, state) VALUES ('silence', 0, '{}');
