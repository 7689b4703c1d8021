CREATE INDEX leads_by_name ON leads (workspace_id, lower(name), id) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_score ON leads (workspace_id, score, id) WHERE deleted_at IS NULL;
CREATE INDEX leads_by_update ON leads (workspace_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE TABLE custom_fields (
    workspace_id $ID NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, kind TEXT, options $JSON NOT NULL,
    is_on_card BOOLEAN NOT NULL, seen_count BIGINT NOT NULL, last_seen_at BIGINT, created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, key)) $CLUSTERED;
CREATE TABLE lead_views (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, owner_id $ID, owner_name TEXT NOT NULL, name TEXT NOT NULL,
    is_shared BOOLEAN NOT NULL, layout TEXT NOT NULL, filter $JSON, sort_by TEXT, sort_order TEXT,
    columns $JSON, card_fields $JSON, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL);
CREATE INDEX lead_views_of_workspace ON lead_views (workspace_id, is_shared, created_at);
CREATE TABLE default_lead_views (
    workspace_id $ID NOT NULL, user_id $ID NOT NULL, view_id $ID NOT NULL,
    PRIMARY KEY (workspace_id, user_id)) $CLUSTERED;
