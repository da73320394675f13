/** The most numbers that an index takes: as floats, and as halves of them. */
const MAX_INDEXED_FLOATS = 2000;
const MAX_INDEXED_HALVES = 4000;

/** How vectors of a dimension are compared: the type, and the class of operators for an index; absent where none can be. */
export function comparison(dimension: number): { readonly type: string; readonly operators?: string } {
  if (dimension <= MAX_INDEXED_FLOATS) return { type: `vector(${dimension})`, operators: "vector_cosine_ops" };
  if (dimension <= MAX_INDEXED_HALVES) return { type: `halfvec(${dimension})`, operators: "halfvec_cosine_ops" };
  return { type: `vector(${dimension})` };
}

/** As pgvector reads it. Nine digits tell every float from its neighbours. */
export function vectorText(vector: Float32Array): string {
  let text = "[";
  for (let at = 0; at < vector.length; at += 1) {
    text += `${at === 0 ? "" : ","}${Number((vector[at] ?? 0).toPrecision(9))}`;
  }
  return `${text}]`;
}

/** Names of the tables that hold a generation's chunks and a collection's words. Both ids are the database's own. */
export function chunksTable(generationId: string): string {
  return `chunks_g${BigInt(generationId)}`;
}

export function wordsTable(collectionId: string): string {
  return `chunk_words_c${BigInt(collectionId)}`;
}
