-- Counts up with each transaction on people, devices and keys: who keeps a copy reads this one
-- number to know whether the copy is old.
CREATE TABLE directory_version (
    org_id  TEXT   NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (org_id)
);
