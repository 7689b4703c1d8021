CREATE TABLE workspaces (
    id $ID NOT NULL PRIMARY KEY, slug TEXT NOT NULL UNIQUE, name TEXT NOT NULL, settings $JSON NOT NULL,
    created_at BIGINT NOT NULL);
CREATE TABLE users (
    id $ID NOT NULL PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL, password_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL, disabled_at BIGINT);
CREATE TABLE memberships (
    workspace_id $ID NOT NULL, user_id $ID NOT NULL, role TEXT NOT NULL, created_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, user_id)) $CLUSTERED;
CREATE INDEX memberships_of_user ON memberships (user_id);
CREATE TABLE credentials (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, user_id $ID, kind TEXT NOT NULL, name TEXT NOT NULL,
    role TEXT, secret_hash $BYTES NOT NULL UNIQUE, last4 TEXT NOT NULL, created_at BIGINT NOT NULL,
    expires_at BIGINT, last_used_at BIGINT, revoked_at BIGINT);
CREATE INDEX credentials_of_workspace ON credentials (workspace_id, kind, created_at);
CREATE INDEX credentials_of_user ON credentials (user_id, kind);
CREATE TABLE projects (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, name TEXT NOT NULL, created_at BIGINT NOT NULL,
    deleted_at BIGINT);
CREATE INDEX projects_of_workspace ON projects (workspace_id, created_at);
CREATE TABLE sources (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, project_id $ID NOT NULL, kind TEXT NOT NULL,
    name TEXT NOT NULL, key TEXT NOT NULL UNIQUE, settings $JSON NOT NULL, received_count BIGINT NOT NULL,
    last_received_at BIGINT, created_at BIGINT NOT NULL, deleted_at BIGINT);
CREATE INDEX sources_of_workspace ON sources (workspace_id, kind, created_at);
CREATE VIEW lead_webhooks AS
    SELECT id, workspace_id, project_id, name, key AS api_key, settings, received_count, last_received_at, created_at,
           deleted_at
    FROM sources WHERE kind = 'webhook';
CREATE TABLE sites (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL UNIQUE,
    allowed_origins $JSON NOT NULL, created_at BIGINT NOT NULL, deleted_at BIGINT);
CREATE INDEX sites_of_workspace ON sites (workspace_id, created_at);
CREATE TABLE contacts (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, display_name TEXT NOT NULL, email TEXT, phone_number TEXT,
    whatsapp_id TEXT, lifecycle TEXT NOT NULL, tags $JSON NOT NULL, column_data $JSON NOT NULL,
    created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, deleted_at BIGINT);
CREATE INDEX contacts_of_workspace ON contacts (workspace_id, created_at);
CREATE TABLE identities (
    key $BYTES NOT NULL PRIMARY KEY, kind TEXT NOT NULL, subject_id $ID NOT NULL, seen_at BIGINT NOT NULL) $CLUSTERED;
CREATE TABLE leads (
    number $NUMBER, id $ID NOT NULL UNIQUE, workspace_id $ID NOT NULL, project_id $ID NOT NULL, contact_id $ID NOT NULL,
    pipeline_id $ID NOT NULL, stage_id $ID NOT NULL, rank $RANK NOT NULL, name TEXT NOT NULL, email TEXT, phone TEXT,
    phone_raw TEXT, country_code TEXT, company TEXT, title TEXT, message TEXT, source TEXT NOT NULL, source_id $ID,
    source_name TEXT NOT NULL, tags $JSON NOT NULL, custom_fields $JSON NOT NULL, score BIGINT NOT NULL,
    score_reasons $JSON NOT NULL, engagement BIGINT, suspicion BIGINT NOT NULL, suspicion_reasons $JSON NOT NULL,
    assigned_to $ID, first_touch $JSON NOT NULL, last_touch $JSON NOT NULL, visitor_id TEXT,
    submission_count BIGINT NOT NULL, last_submission_at BIGINT NOT NULL, stage_entered_at BIGINT NOT NULL,
    converted_at BIGINT, is_test BOOLEAN NOT NULL, version BIGINT NOT NULL, created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL, deleted_at BIGINT, search_text TEXT NOT NULL);
CREATE INDEX leads_of_stage ON leads (stage_id, rank, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_creation ON leads (workspace_id, created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_submission ON leads (workspace_id, last_submission_at, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_of_owner ON leads (workspace_id, assigned_to, created_at) WHERE assigned_to IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX leads_deleted ON leads (workspace_id, stage_id) WHERE deleted_at IS NOT NULL;
CREATE TABLE lead_tags (
    workspace_id $ID NOT NULL, tag TEXT NOT NULL, lead_id $ID NOT NULL,
    PRIMARY KEY (workspace_id, tag, lead_id)) $CLUSTERED;
CREATE TABLE lead_submissions (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, lead_id $ID NOT NULL, source_id $ID, source TEXT NOT NULL,
    source_name TEXT NOT NULL, payload TEXT NOT NULL, name TEXT, email TEXT, phone TEXT, project TEXT, message TEXT,
    cta TEXT, page_url TEXT, referrer TEXT, match_reason $JSON NOT NULL, received_at BIGINT NOT NULL,
    time_to_submit_ms BIGINT);
CREATE INDEX lead_submissions_of_workspace ON lead_submissions (workspace_id, id);
CREATE INDEX lead_submissions_of_lead ON lead_submissions (lead_id, id);
CREATE TABLE lead_captures (
    submission_id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, lead_id $ID NOT NULL, ip TEXT, user_agent TEXT,
    origin TEXT, content_type TEXT, raw_body TEXT NOT NULL, captured_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX lead_captures_by_expiry ON lead_captures (expires_at);
CREATE TABLE lead_pipelines (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, name TEXT NOT NULL, is_default BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL, deleted_at BIGINT);
CREATE INDEX lead_pipelines_of_workspace ON lead_pipelines (workspace_id, created_at);
CREATE UNIQUE INDEX lead_pipelines_default ON lead_pipelines (workspace_id) WHERE is_default AND deleted_at IS NULL;
CREATE TABLE lead_pipeline_stages (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, pipeline_id $ID NOT NULL, name TEXT NOT NULL,
    color TEXT NOT NULL, kind TEXT NOT NULL, position BIGINT NOT NULL, created_at BIGINT NOT NULL, deleted_at BIGINT);
CREATE INDEX lead_pipeline_stages_of_pipeline ON lead_pipeline_stages (pipeline_id, position);
CREATE TABLE lead_stage_counts (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, pipeline_id $ID NOT NULL, stage_id $ID NOT NULL,
    n BIGINT NOT NULL);
CREATE INDEX lead_stage_counts_of_workspace ON lead_stage_counts (workspace_id, stage_id);
CREATE TABLE lead_activities (
    id $ID NOT NULL, workspace_id $ID NOT NULL, lead_id $ID NOT NULL, kind TEXT NOT NULL, actor_kind TEXT NOT NULL,
    actor_id $ID, actor_name TEXT NOT NULL, data $JSON NOT NULL, created_at BIGINT NOT NULL,
    PRIMARY KEY (lead_id, id)) $CLUSTERED;
CREATE TABLE events (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, kind TEXT NOT NULL, lead_id $ID, submission_id $ID,
    data $JSON NOT NULL, created_at BIGINT NOT NULL, dispatched BOOLEAN NOT NULL);
CREATE INDEX events_undispatched ON events (created_at, id) WHERE NOT dispatched;
CREATE INDEX events_by_creation ON events (created_at);
CREATE TABLE destinations (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, project_id $ID, name TEXT NOT NULL, url TEXT NOT NULL,
    events $JSON NOT NULL, format TEXT NOT NULL, retry_plan TEXT NOT NULL, secret_sealed TEXT NOT NULL,
    secret_last4 TEXT NOT NULL, headers_sealed TEXT, header_names $JSON NOT NULL, is_active BOOLEAN NOT NULL,
    disabled_reason TEXT, max_in_flight BIGINT NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    deleted_at BIGINT);
CREATE INDEX destinations_of_workspace ON destinations (workspace_id, created_at);
CREATE TABLE deliveries (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, destination_id $ID NOT NULL, event_id $ID NOT NULL,
    event TEXT NOT NULL, lead_id $ID, submission_id $ID, state TEXT NOT NULL, attempt_count BIGINT NOT NULL,
    plan_attempt BIGINT NOT NULL, next_attempt_at BIGINT NOT NULL, leased_until BIGINT, payload TEXT,
    last_status BIGINT, last_error TEXT, created_at BIGINT NOT NULL, finished_at BIGINT, expires_at BIGINT);
CREATE INDEX deliveries_first ON deliveries (destination_id, next_attempt_at) WHERE state = 'pending' AND plan_attempt = 0;
CREATE INDEX deliveries_later ON deliveries (destination_id, next_attempt_at) WHERE state = 'pending' AND plan_attempt > 0;
CREATE INDEX deliveries_pending ON deliveries (workspace_id, created_at) WHERE state = 'pending';
CREATE INDEX deliveries_of_destination ON deliveries (destination_id, created_at);
CREATE INDEX deliveries_of_workspace ON deliveries (workspace_id, created_at);
CREATE INDEX deliveries_of_lead ON deliveries (lead_id);
CREATE INDEX deliveries_dead ON deliveries (workspace_id, finished_at) WHERE state = 'dead';
CREATE TABLE delivery_attempts (
    id $ID NOT NULL, workspace_id $ID NOT NULL, delivery_id $ID NOT NULL, number BIGINT NOT NULL,
    started_at BIGINT NOT NULL, duration_ms BIGINT NOT NULL, status BIGINT, error TEXT, request_headers $JSON NOT NULL,
    response_headers $JSON NOT NULL, response_body TEXT,
    PRIMARY KEY (delivery_id, id)) $CLUSTERED;
-- sqlite
CREATE VIRTUAL TABLE lead_search USING fts5(body, content='', contentless_delete=1, tokenize='trigram');
-- postgres
CREATE EXTENSION IF NOT EXISTS pg_trgm;
-- postgres
CREATE INDEX leads_search ON leads USING gin (search_text gin_trgm_ops) WHERE deleted_at IS NULL;
