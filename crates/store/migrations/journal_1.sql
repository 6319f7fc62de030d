-- Both engines: text for ids and hashes (hex), whole numbers for time (ms since 1970, UTC).
CREATE TABLE audit (
    org_id         TEXT   NOT NULL,
    seq            BIGINT NOT NULL,
    prev_hash      TEXT   NOT NULL,
    hash           TEXT   NOT NULL,
    at_ms          BIGINT NOT NULL,
    person_id      TEXT   NOT NULL,
    key_id         TEXT   NOT NULL,
    channel        TEXT   NOT NULL,
    origin         TEXT   NOT NULL,
    what           TEXT   NOT NULL,
    call_id        TEXT   NOT NULL,
    supervision_id TEXT   NOT NULL,
    outcome        TEXT   NOT NULL,
    reasons        TEXT   NOT NULL,
    detail         TEXT   NOT NULL,
    PRIMARY KEY (org_id, seq)
);
CREATE INDEX audit_by_call ON audit (org_id, call_id, seq);
CREATE INDEX audit_by_person ON audit (org_id, person_id, seq);

CREATE TABLE call_record (
    org_id        TEXT   NOT NULL,
    id            TEXT   NOT NULL,
    started_at_ms BIGINT NOT NULL,
    ended_at_ms   BIGINT NOT NULL,
    body          TEXT   NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX call_record_by_start ON call_record (org_id, started_at_ms, id);

CREATE TABLE call_person (
    org_id        TEXT   NOT NULL,
    person_id     TEXT   NOT NULL,
    call_id       TEXT   NOT NULL,
    started_at_ms BIGINT NOT NULL,
    PRIMARY KEY (org_id, person_id, call_id)
);
