ALTER TABLE destinations ADD COLUMN previous_secret_sealed TEXT;
ALTER TABLE destinations ADD COLUMN previous_secret_until BIGINT;
CREATE TABLE installation (
    id $ID NOT NULL PRIMARY KEY, check_sealed TEXT NOT NULL, identity_check TEXT NOT NULL, created_at BIGINT NOT NULL);
