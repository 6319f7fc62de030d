-- What the organisation calls things on its pages: a preset, and words of its own over it.
CREATE TABLE labels (
    org_id TEXT NOT NULL PRIMARY KEY,
    preset TEXT NOT NULL
);
CREATE TABLE label_word (
    org_id TEXT NOT NULL,
    term   TEXT NOT NULL,
    word   TEXT NOT NULL,
    PRIMARY KEY (org_id, term)
);
