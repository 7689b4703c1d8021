CREATE TABLE lead_analysis_settings (
    workspace_id $ID NOT NULL PRIMARY KEY, is_enabled BOOLEAN NOT NULL, keywords $JSON NOT NULL, topics $JSON NOT NULL,
    endpoint_enabled BOOLEAN NOT NULL, base_url TEXT, model TEXT, key_sealed TEXT, key_last4 TEXT,
    redacts BOOLEAN NOT NULL, timeout_seconds BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE TABLE lead_analyses (
    submission_id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, lead_id $ID NOT NULL, lane TEXT NOT NULL,
    state TEXT NOT NULL, attempt_count BIGINT NOT NULL, due_at BIGINT NOT NULL, received_at BIGINT NOT NULL,
    result $JSON, finished_at BIGINT);
CREATE INDEX lead_analyses_due ON lead_analyses (lane, due_at) WHERE state = 'pending';
CREATE INDEX lead_analyses_of_lead ON lead_analyses (lead_id, received_at);
ALTER TABLE leads ADD COLUMN lead_analysis $JSON;
