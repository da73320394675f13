-- Whose key paid. Calls and attempts of before have none.

ALTER TABLE calls ADD COLUMN key_id text NOT NULL DEFAULT '';

-- Like all columns of the start, null until it has arrived.
ALTER TABLE attempts ADD COLUMN key_id text DEFAULT '';
