-- What a device proves itself with: hashes for our realm, never a password. Empty: not known.
CREATE TABLE account (
    org_id     TEXT NOT NULL,
    name       TEXT NOT NULL,
    ha1_md5    TEXT NOT NULL,
    ha1_sha256 TEXT NOT NULL,
    offers     TEXT NOT NULL,
    PRIMARY KEY (org_id, name)
);
-- Where accounts have registered, so that a restart does not silence their phones.
CREATE TABLE binding (
    org_id        TEXT   NOT NULL,
    account       TEXT   NOT NULL,
    contact       TEXT   NOT NULL,
    q_thousandths BIGINT NOT NULL,
    path          TEXT   NOT NULL,
    target        TEXT   NOT NULL,
    transport     TEXT   NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    sip_call_id   TEXT   NOT NULL,
    cseq          BIGINT NOT NULL,
    instance      TEXT   NOT NULL,
    PRIMARY KEY (org_id, account, contact)
);
