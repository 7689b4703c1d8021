-- What a destination is asked with beside its headers.
ALTER TABLE destinations ADD COLUMN oauth_sealed TEXT;
ALTER TABLE destinations ADD COLUMN token_sealed TEXT;
ALTER TABLE destinations ADD COLUMN client_certificate_sealed TEXT;
-- Which of its destination's goals a conversion is about.
ALTER TABLE deliveries ADD COLUMN goal TEXT;
CREATE INDEX deliveries_skipped_of ON deliveries (destination_id, created_at) WHERE state = 'skipped';
