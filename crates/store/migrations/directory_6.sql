-- How people sign in to the pages. Of a password only its argon2id hash is kept, as a PHC string.
CREATE TABLE login (
    org_id        TEXT   NOT NULL,
    person_id     TEXT   NOT NULL,
    name          TEXT   NOT NULL,
    password      TEXT   NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (org_id, person_id)
);
CREATE UNIQUE INDEX login_by_name ON login (org_id, name);
-- Who is signed in. Of the cookie only its SHA-256 is kept.
CREATE TABLE session (
    org_id        TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    person_id     TEXT   NOT NULL,
    token_sha256  TEXT   NOT NULL,
    csrf          TEXT   NOT NULL,
    origin        TEXT   NOT NULL,
    opened_at_ms  BIGINT NOT NULL,
    seen_at_ms    BIGINT NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX session_by_token ON session (token_sha256);
CREATE INDEX session_by_person ON session (org_id, person_id);
