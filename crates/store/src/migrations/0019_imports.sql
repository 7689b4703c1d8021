CREATE TABLE imports (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, file_name TEXT NOT NULL, size_bytes BIGINT NOT NULL,
    layout $JSON NOT NULL, columns $JSON NOT NULL, preview $JSON NOT NULL, row_count BIGINT NOT NULL,
    block_count BIGINT NOT NULL, column_set $ID, rules $JSON NOT NULL, options $JSON NOT NULL, is_ready BOOLEAN NOT NULL,
    check_job_id $ID, job_id $ID, made_by TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE INDEX imports_of_workspace ON imports (workspace_id, created_at, id) WHERE is_ready;
CREATE INDEX imports_by_creation ON imports (created_at);
CREATE TABLE import_blocks (
    import_id $ID NOT NULL, number BIGINT NOT NULL, packed $BYTES NOT NULL,
    PRIMARY KEY (import_id, number));
CREATE TABLE import_keys (
    import_id $ID NOT NULL, key $BYTES NOT NULL,
    PRIMARY KEY (import_id, key)) $CLUSTERED;
CREATE TABLE import_refused (
    import_id $ID NOT NULL, row_number BIGINT NOT NULL, reason TEXT NOT NULL, cells TEXT NOT NULL,
    PRIMARY KEY (import_id, row_number)) $CLUSTERED;
CREATE TABLE import_mappings (
    workspace_id $ID NOT NULL, column_set $ID NOT NULL, rules $JSON NOT NULL, options $JSON NOT NULL,
    used_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, column_set)) $CLUSTERED;
CREATE INDEX import_mappings_by_use ON import_mappings (used_at);
