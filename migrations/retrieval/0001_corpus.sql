-- Documents, their chunks and the vectors of those. A set of migrations of its own: a Postgres without pgvector still
-- keeps the ledger.
--
-- Tenant first: every query names it, and row-level security is a second lock. Transactions for tenants run as the role
-- sluice_tenant, which owns nothing, with the tenant in `sluice.tenant`; where that is not set there are no rows.

CREATE EXTENSION IF NOT EXISTS vector;

DO $$
BEGIN
  IF (SELECT string_to_array(substring(extversion FROM '^[0-9.]+'), '.')::int[] < '{0,8}'::int[]
      FROM pg_extension WHERE extname = 'vector') THEN
    RAISE EXCEPTION 'retrieval needs pgvector 0.8 or later: ALTER EXTENSION vector UPDATE, or install a newer one';
  END IF;
END $$;

DO $$
DECLARE
  is_superuser boolean := (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sluice_tenant') THEN
    BEGIN
      CREATE ROLE sluice_tenant NOLOGIN;
    EXCEPTION
      -- Another database of the same server was migrated in this moment.
      WHEN duplicate_object OR unique_violation THEN NULL;
      WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'an administrator has to make the role of tenants: CREATE ROLE sluice_tenant NOLOGIN; GRANT sluice_tenant TO %;', current_user;
    END;
  END IF;
  IF NOT is_superuser THEN
    BEGIN
      EXECUTE format('GRANT sluice_tenant TO %I', current_user);
    EXCEPTION WHEN insufficient_privilege THEN
      IF NOT pg_has_role(current_user, 'sluice_tenant', 'MEMBER') THEN
        RAISE EXCEPTION 'an administrator has to allow the role of tenants: GRANT sluice_tenant TO %;', current_user;
      END IF;
    END;
  END IF;
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO sluice_tenant', current_schema());
END $$;

-- The vectors of a collection that are of one model. While a collection is embedded anew it has a second set. Nothing of
-- a tenant is in here.
CREATE TABLE generations (
  generation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  collection_id bigint NOT NULL,
  embedding_model text NOT NULL,
  dimension integer NOT NULL CHECK (dimension BETWEEN 1 AND 16000),
  is_indexed boolean NOT NULL DEFAULT false
);

CREATE INDEX generations_by_collection ON generations (collection_id);

CREATE TABLE collections (
  collection_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant text NOT NULL CHECK (tenant <> ''),
  name text COLLATE "C" NOT NULL,
  -- A text search configuration.
  language text NOT NULL,
  -- The set that is searched.
  generation_id bigint NOT NULL,
  -- Raised by every transaction that changes what can be retrieved.
  version bigint NOT NULL DEFAULT 1,
  document_count bigint NOT NULL DEFAULT 0,
  chunk_count bigint NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (tenant, name)
);

CREATE TABLE documents (
  collection_id bigint NOT NULL REFERENCES collections ON DELETE CASCADE,
  document_id text COLLATE "C" NOT NULL,
  tenant text NOT NULL CHECK (tenant <> ''),
  title text NOT NULL,
  content_hash text NOT NULL,
  text text NOT NULL,
  text_bytes bigint NOT NULL,
  chunk_count integer NOT NULL,
  metadata jsonb NOT NULL,
  -- The collection's version when it was put.
  revision bigint NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (collection_id, document_id)
);

-- A partition for each generation, with an index of its own: see docs/decisions. Metadata are here again, so that a filter
-- needs no join.
CREATE TABLE chunks (
  generation_id bigint NOT NULL,
  document_id text COLLATE "C" NOT NULL,
  ordinal integer NOT NULL,
  tenant text NOT NULL CHECK (tenant <> ''),
  revision bigint NOT NULL,
  heading_path text[] NOT NULL,
  start_bytes bigint NOT NULL,
  end_bytes bigint NOT NULL,
  text text NOT NULL,
  metadata jsonb NOT NULL,
  embedding vector NOT NULL,
  PRIMARY KEY (generation_id, document_id, ordinal)
) PARTITION BY LIST (generation_id);

-- The words of chunks, for full-text search. Under row-level security no index could serve it (`@@` is not leakproof), so
-- nobody but the functions below may read it, and they hold the tenant themselves.
CREATE TABLE chunk_words (
  collection_id bigint NOT NULL,
  document_id text COLLATE "C" NOT NULL,
  ordinal integer NOT NULL,
  words tsvector NOT NULL,
  PRIMARY KEY (collection_id, document_id, ordinal)
) PARTITION BY LIST (collection_id);

CREATE INDEX chunk_words_by_word ON chunk_words USING gin (words);

ALTER TABLE collections ENABLE ROW LEVEL SECURITY;
ALTER TABLE collections FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON collections USING (tenant = current_setting('sluice.tenant', true));
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON documents USING (tenant = current_setting('sluice.tenant', true));
ALTER TABLE chunks ENABLE ROW LEVEL SECURITY;
ALTER TABLE chunks FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON chunks USING (tenant = current_setting('sluice.tenant', true));

GRANT SELECT ON generations TO sluice_tenant;
GRANT SELECT, UPDATE ON collections TO sluice_tenant;
GRANT SELECT, INSERT, UPDATE, DELETE ON documents, chunks TO sluice_tenant;

CREATE FUNCTION sluice_owns(collection bigint) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$
  SELECT EXISTS (
    SELECT FROM collections
    WHERE collection_id = collection AND tenant = current_setting('sluice.tenant', true)
  )
$$;

-- Chunks that hold at least one of the words, with how well they fit.
CREATE FUNCTION sluice_match_words(collection bigint, query tsquery)
RETURNS TABLE (document_id text, ordinal integer, rank real)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
  IF NOT sluice_owns(collection) THEN RETURN; END IF;
  -- Written out, so that only this collection's partition is planned for.
  RETURN QUERY EXECUTE format(
    'SELECT w.document_id, w.ordinal, ts_rank_cd(w.words, $1, 1) FROM chunk_words w WHERE w.collection_id = %s AND w.words @@ $1',
    collection
  ) USING query;
END $$;

CREATE FUNCTION sluice_put_words(collection bigint, document text, language regconfig, ordinals integer[], texts text[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
  IF NOT sluice_owns(collection) THEN RETURN; END IF;
  INSERT INTO chunk_words (collection_id, document_id, ordinal, words)
  SELECT collection, document, given.ordinal, to_tsvector(language, given.text)
  FROM unnest(ordinals, texts) AS given (ordinal, text);
END $$;

CREATE FUNCTION sluice_drop_words(collection bigint, documents text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
  IF NOT sluice_owns(collection) THEN RETURN; END IF;
  DELETE FROM chunk_words w WHERE w.collection_id = collection AND w.document_id = ANY (documents);
END $$;

REVOKE ALL ON FUNCTION sluice_owns(bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION sluice_match_words(bigint, tsquery) FROM PUBLIC;
REVOKE ALL ON FUNCTION sluice_put_words(bigint, text, regconfig, integer[], text[]) FROM PUBLIC;
REVOKE ALL ON FUNCTION sluice_drop_words(bigint, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sluice_match_words(bigint, tsquery) TO sluice_tenant;
GRANT EXECUTE ON FUNCTION sluice_put_words(bigint, text, regconfig, integer[], text[]) TO sluice_tenant;
GRANT EXECUTE ON FUNCTION sluice_drop_words(bigint, text[]) TO sluice_tenant;
