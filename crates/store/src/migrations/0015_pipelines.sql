ALTER TABLE lead_pipelines ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE lead_pipelines ADD COLUMN closing $JSON NOT NULL DEFAULT '{}';
ALTER TABLE lead_pipeline_stages ADD COLUMN probability BIGINT NOT NULL DEFAULT 50;
ALTER TABLE lead_pipeline_stages ADD COLUMN stale_after_days BIGINT;
UPDATE lead_pipeline_stages SET probability = CASE kind WHEN 'won' THEN 100 WHEN 'lost' THEN 0
    ELSE CASE position WHEN 0 THEN 10 WHEN 1 THEN 20 WHEN 2 THEN 40 WHEN 3 THEN 60 ELSE 50 END END;
ALTER TABLE leads ADD COLUMN quotable TEXT NOT NULL DEFAULT 'not_set';
ALTER TABLE leads ADD COLUMN quote_value_milli BIGINT;
ALTER TABLE leads ADD COLUMN sales_value_milli BIGINT;
ALTER TABLE leads ADD COLUMN close_reason TEXT;
ALTER TABLE lead_stage_counts ADD COLUMN value_milli BIGINT NOT NULL DEFAULT 0;
ALTER TABLE projects ADD COLUMN pipeline_id $ID;
