-- When a person first did something about a lead.
ALTER TABLE leads ADD COLUMN responded_at BIGINT;
UPDATE leads SET responded_at = (
        SELECT min(a.created_at) FROM lead_activities AS a
        WHERE a.lead_id = leads.id AND a.actor_kind = 'user'
              AND a.kind IN ('lead.stage_changed', 'lead.assigned', 'lead.converted', 'note.added'))
    WHERE id IN (SELECT lead_id FROM lead_activities WHERE actor_kind = 'user');
-- The stages that leads have left. The one that a lead is in stands on the lead.
CREATE TABLE lead_stage_stays (
    lead_id $ID NOT NULL, entered_at BIGINT NOT NULL, stage_id $ID NOT NULL, workspace_id $ID NOT NULL,
    left_at BIGINT NOT NULL,
    PRIMARY KEY (lead_id, entered_at, stage_id)) $CLUSTERED;
-- sqlite
INSERT INTO lead_stage_stays (lead_id, entered_at, stage_id, workspace_id, left_at)
    SELECT a.lead_id, coalesce(lag(a.created_at) OVER (PARTITION BY a.lead_id ORDER BY a.id), l.created_at),
           a.data ->> 'fromStageId', a.workspace_id, a.created_at
    FROM lead_activities AS a JOIN leads AS l ON l.id = a.lead_id
    WHERE a.kind = 'lead.stage_changed' AND a.data ->> 'fromStageId' IS NOT NULL
    ON CONFLICT DO NOTHING;
-- postgres
INSERT INTO lead_stage_stays (lead_id, entered_at, stage_id, workspace_id, left_at)
    SELECT a.lead_id, coalesce(lag(a.created_at) OVER (PARTITION BY a.lead_id ORDER BY a.id), l.created_at),
           (a.data ->> 'fromStageId')::uuid, a.workspace_id, a.created_at
    FROM lead_activities AS a JOIN leads AS l ON l.id = a.lead_id
    WHERE a.kind = 'lead.stage_changed' AND a.data ->> 'fromStageId' IS NOT NULL
    ON CONFLICT DO NOTHING;
-- What reports need of the leads of a day, packed; nothing yet, where the day is only about to be. A day that has a row
-- here has its changes noted, until it is packed again.
CREATE TABLE report_days (
    workspace_id $ID NOT NULL, day BIGINT NOT NULL, version BIGINT NOT NULL, announced_at BIGINT NOT NULL, packed $BYTES,
    PRIMARY KEY (workspace_id, day));
CREATE TABLE report_changes (number $NUMBER, workspace_id $ID NOT NULL, day BIGINT NOT NULL);
CREATE INDEX report_changes_of_day ON report_changes (workspace_id, day);
-- Packed as they are already.
-- postgres
ALTER TABLE report_days ALTER COLUMN packed SET STORAGE EXTERNAL;
-- Noted by the database, so that whoever changes a lead cannot forget it. Most leads are of days without a row, today
-- above all, and cost a look at the key.
-- sqlite
CREATE TRIGGER leads_reported_made AFTER INSERT ON leads BEGIN INSERT INTO report_changes (workspace_id, day)
    SELECT workspace_id, day FROM report_days
    WHERE workspace_id = NEW.workspace_id AND day = NEW.created_at / 86400000; END;
-- sqlite
CREATE TRIGGER leads_reported_changed AFTER UPDATE OF project_id, pipeline_id, stage_id, stage_entered_at, assigned_to,
        source, source_id, first_touch, close_reason, responded_at, quote_value_milli, sales_value_milli, is_test,
        deleted_at ON leads
    WHEN OLD.project_id IS NOT NEW.project_id OR OLD.pipeline_id IS NOT NEW.pipeline_id
         OR OLD.stage_id IS NOT NEW.stage_id OR OLD.stage_entered_at IS NOT NEW.stage_entered_at
         OR OLD.assigned_to IS NOT NEW.assigned_to OR OLD.source IS NOT NEW.source
         OR OLD.source_id IS NOT NEW.source_id OR OLD.first_touch IS NOT NEW.first_touch
         OR OLD.close_reason IS NOT NEW.close_reason OR OLD.responded_at IS NOT NEW.responded_at
         OR OLD.quote_value_milli IS NOT NEW.quote_value_milli OR OLD.sales_value_milli IS NOT NEW.sales_value_milli
         OR OLD.is_test IS NOT NEW.is_test OR OLD.deleted_at IS NOT NEW.deleted_at
    BEGIN INSERT INTO report_changes (workspace_id, day) SELECT workspace_id, day FROM report_days
    WHERE workspace_id = NEW.workspace_id AND day = OLD.created_at / 86400000; END;
-- sqlite
CREATE TRIGGER leads_reported_gone AFTER DELETE ON leads BEGIN INSERT INTO report_changes (workspace_id, day)
    SELECT workspace_id, day FROM report_days
    WHERE workspace_id = OLD.workspace_id AND day = OLD.created_at / 86400000; END;
-- postgres
CREATE FUNCTION leads_reported_made() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
    INSERT INTO report_changes (workspace_id, day) SELECT DISTINCT d.workspace_id, d.day
    FROM made AS m JOIN report_days AS d ON d.workspace_id = m.workspace_id AND d.day = m.created_at / 86400000; RETURN NULL; END $body$;
-- postgres
CREATE TRIGGER leads_reported_made AFTER INSERT ON leads REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION leads_reported_made();
-- postgres
CREATE FUNCTION leads_reported_changed() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN
    INSERT INTO report_changes (workspace_id, day) SELECT workspace_id, day FROM report_days
    WHERE workspace_id = OLD.workspace_id AND day = OLD.created_at / 86400000; RETURN NULL; END $body$;
-- postgres
CREATE TRIGGER leads_reported_changed AFTER UPDATE OF project_id, pipeline_id, stage_id, stage_entered_at, assigned_to,
        source, source_id, first_touch, close_reason, responded_at, quote_value_milli, sales_value_milli, is_test,
        deleted_at ON leads FOR EACH ROW
    WHEN (OLD.project_id IS DISTINCT FROM NEW.project_id OR OLD.pipeline_id IS DISTINCT FROM NEW.pipeline_id
         OR OLD.stage_id IS DISTINCT FROM NEW.stage_id OR OLD.stage_entered_at IS DISTINCT FROM NEW.stage_entered_at
         OR OLD.assigned_to IS DISTINCT FROM NEW.assigned_to OR OLD.source IS DISTINCT FROM NEW.source
         OR OLD.source_id IS DISTINCT FROM NEW.source_id OR OLD.first_touch IS DISTINCT FROM NEW.first_touch
         OR OLD.close_reason IS DISTINCT FROM NEW.close_reason OR OLD.responded_at IS DISTINCT FROM NEW.responded_at
         OR OLD.quote_value_milli IS DISTINCT FROM NEW.quote_value_milli
         OR OLD.sales_value_milli IS DISTINCT FROM NEW.sales_value_milli
         OR OLD.is_test IS DISTINCT FROM NEW.is_test OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at)
    EXECUTE FUNCTION leads_reported_changed();
-- postgres
CREATE TRIGGER leads_reported_gone AFTER DELETE ON leads FOR EACH ROW EXECUTE FUNCTION leads_reported_changed();
INSERT INTO schedules (name, ran_at, state) VALUES ('reports', 0, '{}');
