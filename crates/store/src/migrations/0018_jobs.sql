CREATE TABLE jobs (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,
    params $JSON NOT NULL, about $JSON NOT NULL, cursor $JSON, total BIGINT NOT NULL, done BIGINT NOT NULL,
    changed BIGINT NOT NULL, failed BIGINT NOT NULL, result_count BIGINT NOT NULL, undone BIGINT NOT NULL,
    left_alone BIGINT NOT NULL, asked_by_kind TEXT NOT NULL, asked_by_id $ID, asked_by_name TEXT NOT NULL,
    undone_by_kind TEXT, undone_by_id $ID, undone_by_name TEXT, error TEXT, moves BIGINT NOT NULL,
    tries BIGINT NOT NULL, leased_by TEXT, leased_until BIGINT, created_at BIGINT NOT NULL, started_at BIGINT, moved_at BIGINT NOT NULL, finished_at BIGINT);
CREATE INDEX jobs_open ON jobs (moved_at, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_open_of_workspace ON jobs (workspace_id, id) WHERE finished_at IS NULL;
CREATE INDEX jobs_of_workspace ON jobs (workspace_id, created_at, id);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;
CREATE TABLE job_results (
    job_id $ID NOT NULL, seq BIGINT NOT NULL, workspace_id $ID NOT NULL, lead_id $ID, row_number BIGINT,
    outcome TEXT NOT NULL, code TEXT, message TEXT, undo $JSON, undo_outcome TEXT,
    PRIMARY KEY (job_id, seq)) $CLUSTERED;
CREATE INDEX job_results_failed ON job_results (job_id, seq) WHERE outcome = 'failed';
CREATE INDEX job_results_left ON job_results (job_id, seq) WHERE undo_outcome IS NOT NULL AND undo_outcome <> 'undone';
CREATE INDEX job_results_of_lead ON job_results (lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX leads_deleted_by_creation ON leads (workspace_id, created_at, id) WHERE deleted_at IS NOT NULL;
