CREATE TABLE person (
    org_id    TEXT NOT NULL,
    id        TEXT NOT NULL,
    name      TEXT NOT NULL,
    extension TEXT NOT NULL,
    rights    TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE TABLE device (
    org_id    TEXT NOT NULL,
    id        TEXT NOT NULL,
    name      TEXT NOT NULL,
    extension TEXT NOT NULL,
    owner_id  TEXT NOT NULL,
    contact   TEXT NOT NULL,
    net       TEXT NOT NULL,
    PRIMARY KEY (org_id, id)
);
-- Of a token only its SHA-256 is kept.
CREATE TABLE api_key (
    org_id        TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    person_id     TEXT   NOT NULL,
    token_sha256  TEXT   NOT NULL,
    rights        TEXT   NOT NULL,
    created_at_ms BIGINT NOT NULL,
    revoked_at_ms BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX api_key_by_token ON api_key (token_sha256);
