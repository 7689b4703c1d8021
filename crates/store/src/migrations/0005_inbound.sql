CREATE INDEX lead_submissions_of_source ON lead_submissions (source_id, received_at) WHERE source_id IS NOT NULL;
CREATE TABLE refused_requests (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, source_id $ID NOT NULL, method TEXT NOT NULL,
    headers $JSON NOT NULL, ip TEXT, user_agent TEXT, origin TEXT, content_type TEXT, raw_body TEXT NOT NULL,
    status BIGINT NOT NULL, code TEXT NOT NULL, received_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX refused_requests_of_source ON refused_requests (source_id, received_at);
CREATE INDEX refused_requests_by_expiry ON refused_requests (expires_at);
CREATE TABLE lead_fetches (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, source_id $ID NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, state TEXT NOT NULL, attempt_count BIGINT NOT NULL, plan_attempt BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL, leased_until BIGINT, next_page TEXT, found_count BIGINT NOT NULL, last_error TEXT,
    created_at BIGINT NOT NULL, finished_at BIGINT);
CREATE INDEX lead_fetches_due ON lead_fetches (next_attempt_at) WHERE state = 'pending';
CREATE INDEX lead_fetches_of_source ON lead_fetches (source_id, created_at);
CREATE INDEX lead_fetches_finished ON lead_fetches (finished_at) WHERE finished_at IS NOT NULL;
