-- What came of a call; said by agents, surveys and CRMs, also after its end. Nobody has said it:
-- csat 0, resolved -1, an empty text, has_value 0.
CREATE TABLE call_outcome (
    org_id           TEXT   NOT NULL,
    call_id          TEXT   NOT NULL,
    csat             BIGINT NOT NULL,
    resolved         BIGINT NOT NULL,
    reason           TEXT   NOT NULL,
    disposition      TEXT   NOT NULL,
    has_value        BIGINT NOT NULL,
    value_hundredths BIGINT NOT NULL,
    at_ms            BIGINT NOT NULL,
    person_id        TEXT   NOT NULL,
    person_name      TEXT   NOT NULL,
    version          BIGINT NOT NULL,
    PRIMARY KEY (org_id, call_id)
);
