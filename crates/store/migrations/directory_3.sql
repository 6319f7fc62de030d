-- The user that a device authenticates as; '' has none and is known by its address.
ALTER TABLE device ADD COLUMN account TEXT NOT NULL DEFAULT '';

-- Ways to the outside. Lists are words between spaces; a login's password is never here, only
-- where it is to be read (env:NAME, file:PATH). channels_max -1: no limit.
CREATE TABLE trunk (
    org_id          TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    places          TEXT   NOT NULL,
    sources         TEXT   NOT NULL,
    login_user      TEXT   NOT NULL,
    login_realm     TEXT   NOT NULL,
    login_secret    TEXT   NOT NULL,
    login_register  BIGINT NOT NULL,
    login_expires_s BIGINT NOT NULL,
    channels_max    BIGINT NOT NULL,
    ping_s          BIGINT NOT NULL,
    trusted         BIGINT NOT NULL,
    caller_number   TEXT   NOT NULL,
    PRIMARY KEY (org_id, id)
);
-- What follows is in order: of two patterns as long, the earlier counts.
CREATE TABLE own_number (
    org_id      TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    pattern     TEXT   NOT NULL,
    from_trunks TEXT   NOT NULL,
    target_kind TEXT   NOT NULL,
    target      TEXT   NOT NULL,
    strip       BIGINT NOT NULL,
    PRIMARY KEY (org_id, position)
);
CREATE TABLE route (
    org_id      TEXT   NOT NULL,
    position    BIGINT NOT NULL,
    pattern     TEXT   NOT NULL,
    from_trunks TEXT   NOT NULL,
    strip       BIGINT NOT NULL,
    prepend     TEXT   NOT NULL,
    trunks      TEXT   NOT NULL,
    transparent BIGINT NOT NULL,
    PRIMARY KEY (org_id, position)
);
CREATE TABLE outbound (
    org_id            TEXT   NOT NULL,
    position          BIGINT NOT NULL,
    all_people        BIGINT NOT NULL,
    people            TEXT   NOT NULL,
    devices           TEXT   NOT NULL,
    trunks            TEXT   NOT NULL,
    patterns          TEXT   NOT NULL,
    calls_max         BIGINT NOT NULL,
    calls_an_hour_max BIGINT NOT NULL,
    PRIMARY KEY (org_id, position)
);
CREATE TABLE destination_cap (
    org_id            TEXT   NOT NULL,
    position          BIGINT NOT NULL,
    pattern           TEXT   NOT NULL,
    calls_max         BIGINT NOT NULL,
    calls_an_hour_max BIGINT NOT NULL,
    PRIMARY KEY (org_id, position)
);
CREATE TABLE emergency (
    org_id  TEXT NOT NULL,
    numbers TEXT NOT NULL,
    trunks  TEXT NOT NULL,
    PRIMARY KEY (org_id)
);
