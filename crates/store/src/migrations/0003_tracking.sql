CREATE TABLE visitor_sessions (
    workspace_id $ID NOT NULL, visitor_id TEXT NOT NULL, session_id TEXT NOT NULL, site_id $ID NOT NULL,
    started_at BIGINT NOT NULL, seen_at BIGINT NOT NULL, active_seconds BIGINT NOT NULL,
    max_scroll_percent BIGINT NOT NULL, click_count BIGINT NOT NULL, pages_visited BIGINT NOT NULL,
    touch $JSON NOT NULL, pages $JSON NOT NULL,
    PRIMARY KEY (workspace_id, visitor_id, session_id));
CREATE INDEX visitor_sessions_by_start ON visitor_sessions (started_at);
CREATE TABLE lead_visitors (
    workspace_id $ID NOT NULL, visitor_id TEXT NOT NULL, lead_id $ID NOT NULL, session_id TEXT, seen_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, visitor_id, lead_id)) $CLUSTERED;
CREATE INDEX lead_visitors_of_lead ON lead_visitors (lead_id);
ALTER TABLE sites ADD COLUMN tracked_at BIGINT;
ALTER TABLE leads ADD COLUMN session_id TEXT;
ALTER TABLE leads ADD COLUMN session_duration_seconds BIGINT;
ALTER TABLE leads ADD COLUMN max_scroll_percent BIGINT;
ALTER TABLE leads ADD COLUMN click_count BIGINT;
ALTER TABLE leads ADD COLUMN pages_visited BIGINT;
ALTER TABLE leads ADD COLUMN return_visits BIGINT;
ALTER TABLE leads ADD COLUMN touches $JSON;
