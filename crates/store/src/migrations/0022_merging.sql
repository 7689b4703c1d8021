ALTER TABLE leads ADD COLUMN merged_into $ID;
CREATE INDEX leads_merged ON leads (id) WHERE merged_into IS NOT NULL;
CREATE INDEX leads_merged_into ON leads (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX leads_by_email ON leads (workspace_id, email, id) WHERE email IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX leads_by_phone ON leads (workspace_id, phone, id) WHERE phone IS NOT NULL AND deleted_at IS NULL;
CREATE TABLE lead_merges (
    id $ID NOT NULL PRIMARY KEY, workspace_id $ID NOT NULL, winner_id $ID NOT NULL, loser_id $ID NOT NULL,
    loser_name TEXT NOT NULL, before $JSON NOT NULL, merged_by TEXT NOT NULL, merged_at BIGINT NOT NULL,
    split_by TEXT, split_at BIGINT);
CREATE INDEX lead_merges_of_winner ON lead_merges (winner_id, merged_at);
CREATE INDEX lead_merges_of_loser ON lead_merges (loser_id, merged_at);
CREATE TABLE lead_merge_rows (
    merge_id $ID NOT NULL, kind TEXT NOT NULL, row_id $ID NOT NULL,
    PRIMARY KEY (merge_id, kind, row_id)) $CLUSTERED;
