-- What a person types before a tapping code is obeyed: a hash that says how it was made (PHC),
-- never the PIN.
CREATE TABLE pin (
    org_id    TEXT NOT NULL,
    person_id TEXT NOT NULL,
    hash      TEXT NOT NULL,
    PRIMARY KEY (org_id, person_id)
);
-- Patterns between spaces: callers' numbers that the trunk has made sure of.
ALTER TABLE trunk ADD COLUMN vouches_for TEXT NOT NULL DEFAULT '';
