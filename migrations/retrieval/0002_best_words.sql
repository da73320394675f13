-- Only the chunks that fit best, where nothing else has to hold: a common word is in every third chunk, and to join them all
-- takes longer than to rank them.

DROP FUNCTION sluice_match_words(bigint, tsquery);

-- Chunks that hold at least one of the words, with how well they fit, best first. `most` NULL: all of them.
CREATE FUNCTION sluice_match_words(collection bigint, query tsquery, most integer)
RETURNS TABLE (document_id text, ordinal integer, rank real)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT
AS $$
BEGIN
  IF NOT sluice_owns(collection) THEN RETURN; END IF;
  -- Written out, so that only this collection's partition is planned for.
  RETURN QUERY EXECUTE format(
    'SELECT w.document_id, w.ordinal, ts_rank_cd(w.words, $1, 1) AS rank
     FROM chunk_words w WHERE w.collection_id = %s AND w.words @@ $1
     ORDER BY rank DESC, w.document_id, w.ordinal LIMIT $2',
    collection
  ) USING query, most;
END $$;

REVOKE ALL ON FUNCTION sluice_match_words(bigint, tsquery, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sluice_match_words(bigint, tsquery, integer) TO sluice_tenant;
