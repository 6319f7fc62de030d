-- As what a person was on a call: 'agent' or 'supervisor'; '' in older rows, which do not say.
ALTER TABLE call_person ADD COLUMN part TEXT NOT NULL DEFAULT '';
CREATE INDEX call_person_by_start ON call_person (org_id, person_id, started_at_ms);
