CREATE TABLE quarantine (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, reason TEXT NOT NULL, suspicion BIGINT NOT NULL,
    suspicion_reasons $JSON NOT NULL, source_id $ID, source TEXT NOT NULL, source_name TEXT NOT NULL, name TEXT,
    email TEXT, phone TEXT, message TEXT, payload TEXT NOT NULL, submission TEXT NOT NULL, ip TEXT, user_agent TEXT,
    origin TEXT, page_url TEXT, person_key $BYTES, answered_lead_id $ID NOT NULL, received_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL, released_at BIGINT, released_by TEXT, lead_id $ID);
CREATE INDEX quarantine_of_workspace ON quarantine (workspace_id, received_at, id);
CREATE INDEX quarantine_of_person ON quarantine (person_key);
CREATE INDEX quarantine_by_expiry ON quarantine (expires_at);
CREATE TABLE blocked_ips (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, ip_range TEXT NOT NULL, reason TEXT,
    created_by TEXT NOT NULL, created_at BIGINT NOT NULL, expires_at BIGINT);
CREATE UNIQUE INDEX blocked_ips_of_workspace ON blocked_ips (workspace_id, ip_range);
CREATE INDEX blocked_ips_by_expiry ON blocked_ips (expires_at) WHERE expires_at IS NOT NULL;
CREATE TABLE blocked_ip_leads (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, blocked_ip_id $ID NOT NULL, ip_range TEXT NOT NULL,
    ip TEXT NOT NULL, source_id $ID, source TEXT NOT NULL, source_name TEXT NOT NULL, user_agent TEXT, origin TEXT,
    content_type TEXT, raw_body TEXT NOT NULL, person_key $BYTES NOT NULL, answered_lead_id $ID NOT NULL,
    attempted_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX blocked_ip_leads_of_workspace ON blocked_ip_leads (workspace_id, attempted_at, id);
CREATE INDEX blocked_ip_leads_of_person ON blocked_ip_leads (person_key);
CREATE INDEX blocked_ip_leads_by_expiry ON blocked_ip_leads (expires_at);
CREATE TABLE recent_visits (
    key $BYTES NOT NULL PRIMARY KEY, last_at BIGINT NOT NULL, previous_at BIGINT) $CLUSTERED;
CREATE INDEX recent_visits_by_age ON recent_visits (last_at);
