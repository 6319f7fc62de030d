-- Calls that live: the latest note of each, so that a start after a crash can close it.
CREATE TABLE open_call (
    org_id TEXT   NOT NULL,
    id     TEXT   NOT NULL,
    node   TEXT   NOT NULL,
    epoch  BIGINT NOT NULL,
    body   TEXT   NOT NULL,
    PRIMARY KEY (org_id, id)
);
CREATE INDEX open_call_by_node ON open_call (org_id, node, epoch);

-- When a boot of a node was last known to live; one row a boot, never one a call.
CREATE TABLE node_seen (
    org_id TEXT   NOT NULL,
    node   TEXT   NOT NULL,
    epoch  BIGINT NOT NULL,
    at_ms  BIGINT NOT NULL,
    PRIMARY KEY (org_id, node, epoch)
);
