import assert from "node:assert/strict";
import type pg from "pg";
import { createCorpusStore } from "../../../src/adapters/postgres/corpus-store.ts";
import { migrate } from "../../../src/adapters/postgres/migrate.ts";
import { systemClock } from "../../../src/core/clock.ts";
import type { ChunkQuery, CorpusStore, Metadata, MetadataCondition, NewDocument } from "../../../src/core/corpus.ts";
import { type Failure, type FailureReason, SluiceError } from "../../../src/core/failure.ts";
import { silentLog } from "../../../src/core/log.ts";
import { wordVector } from "../../support/embedding-models.ts";
import { dot, randomNumbers, unit } from "./random-vectors.ts";

const DIMENSION = 64;
const settings = { embeddingModel: "words", dimension: DIMENSION, language: "english" };
const never = new AbortController().signal;

export function documentOf(id: string, texts: readonly string[], metadata: Metadata = {}): NewDocument {
  let at = 0;
  const chunks = texts.map((text) => {
    const startOffsetBytes = at;
    at += Buffer.byteLength(text) + 1;
    const place = { startOffsetBytes, endOffsetBytes: at - 1 };
    return { text, headingPath: ["Handbook", id], ...place, vector: wordVector(text, DIMENSION) };
  });
  return { id, title: `About ${id}`, contentHash: `hash of ${texts.join()}`, text: texts.join("\n"), metadata, chunks };
}

async function failureOf(attempt: Promise<unknown>): Promise<Failure> {
  const error = await attempt.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof SluiceError, String(error));
  return error.failure;
}

/** @param open gives the pool of an empty database, and closes it with the suite. */
export function describeCorpusStore(open: () => pg.Pool): void {
  let pool: pg.Pool;
  let store: CorpusStore & { buildIndexes(): Promise<void>; close(): Promise<void> };

  before(async () => {
    pool = open();
    await migrate(pool, "migrations/retrieval", silentLog, "sluice_retrieval_migrations");
    store = createCorpusStore({ pool: Promise.resolve(pool), log: silentLog, clock: systemClock });
  });
  after(() => store.close());

  const put = (collection: string, document: NewDocument, tenant = "acme") =>
    store.putDocument(tenant, collection, document, "words", never);
  const make = (name: string, tenant = "acme") => store.ensureCollection(tenant, name, settings, never);
  const query = (collection: string, text: string, more: Partial<ChunkQuery> = {}): ChunkQuery => ({
    ...{ tenant: "acme", collection, vector: wordVector(text, DIMENSION), topK: 10, filter: [] },
    ...{ embeddingModel: "words", ...more },
  });
  const ids = async (asked: ChunkQuery) =>
    (await store.search(asked, never)).chunks.map(({ documentId, ordinal }) => `${documentId}#${ordinal}`);
  const reasonOf = async (attempt: Promise<unknown>): Promise<FailureReason> => (await failureOf(attempt)).reason;

  it("makes a collection once, and lists those of its tenant by name", async () => {
    const [first, again] = [await make("list-b"), await make("list-b")];
    await make("list-a");
    assert.deepEqual(first, again);
    const names = (await store.collections("acme", never)).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => name.startsWith("list-")),
      ["list-a", "list-b"],
    );
    assert.equal(await store.collection("acme", "nobody", never), undefined);
    assert.deepEqual([first.documentCount, first.isIndexed, first.language], [0, false, "english"]);
  });

  it("puts, replaces and removes documents, counts them, and has another version after each", async () => {
    await make("counts");
    const versions = new Set<string>();
    const look = async () => {
      const found = await store.collection("acme", "counts", never);
      versions.add(found?.corpusVersion ?? "");
      return [found?.documentCount, found?.chunkCount];
    };
    assert.deepEqual(await look(), [0, 0]);
    assert.equal((await put("counts", documentOf("a", ["one", "two"]))).replaced, false);
    assert.deepEqual(await look(), [1, 2]);
    assert.equal((await put("counts", documentOf("a", ["three"]))).replaced, true);
    assert.deepEqual(await look(), [1, 1]);
    await put("counts", documentOf("b", ["four"]));
    const { deletedIds, corpusVersion } = await store.deleteDocuments("acme", "counts", ["a", "zz"], never);
    assert.deepEqual(deletedIds, ["a"]);
    assert.deepEqual(await look(), [1, 1]);
    assert.ok(versions.has(corpusVersion));
    assert.equal(versions.size, 4);
    const unchanged = await store.deleteDocuments("acme", "counts", ["a"], never);
    assert.equal(unchanged.corpusVersion, corpusVersion);
    assert.deepEqual(await ids(query("counts", "one two three")), ["b#0"]);
  });

  it("never comes back to an earlier version, also where a collection is made anew", async () => {
    const { corpusVersion } = await make("anew");
    await put("anew", documentOf("a", ["one"]));
    assert.deepEqual(await store.deleteCollection("acme", "anew", never), { documentCount: 1, chunkCount: 1 });
    assert.equal(await store.collection("acme", "anew", never), undefined);
    assert.notEqual((await make("anew")).corpusVersion, corpusVersion);
    assert.deepEqual(await ids(query("anew", "one")), []);
  });

  it("gives documents back as they were, and knows them by their hashes", async () => {
    await make("texts");
    const text = "naïve 😀 'quoted' $1; -- \\ %";
    await put("texts", documentOf("é/1.md", [text], { tags: ["a", "b"], year: 2026 }));
    await put("texts", documentOf("é/2.md", ["x"]));
    const found = await store.document("acme", "texts", "é/1.md", never);
    assert.deepEqual(
      [found.text, found.metadata, found.title],
      [text, { tags: ["a", "b"], year: 2026 }, "About é/1.md"],
    );
    assert.equal(found.textBytes, Buffer.byteLength(text));
    const summaries = await store.summaries("acme", "texts", ["é/1.md", "nobody"], never);
    assert.deepEqual([...summaries.keys()], ["é/1.md"]);
    assert.equal(summaries.get("é/1.md")?.contentHash, `hash of ${text}`);
    const page = (after: string, prefix = "") =>
      store.documents("acme", "texts", { after, prefix, limit: 1 }, never).then((list) => list.map(({ id }) => id));
    assert.deepEqual([await page(""), await page("é/1.md"), await page("é/2.md")], [["é/1.md"], ["é/2.md"], []]);
    assert.deepEqual(await page("", "é/2"), ["é/2.md"]);
    const unknown = await failureOf(store.document("acme", "texts", "é/3.md", never));
    assert.ok(unknown.reason === "UNKNOWN_DOCUMENT" && unknown.nearest.includes("é/1.md"));
  });

  it("finds by meaning, best first, within the limit and the least similarity", async () => {
    await make("meaning");
    await put("meaning", documentOf("keys", ["a lost key costs money", "the brass box"]));
    await put("meaning", documentOf("dogs", ["dogs are welcome"]));
    const { chunks } = await store.search(query("meaning", "a lost key costs money"), never);
    const [best] = chunks;
    assert.deepEqual([best?.documentId, best?.ordinal, best?.title], ["keys", 0, "About keys"]);
    assert.deepEqual([best?.headingPath, best?.startOffsetBytes, best?.endOffsetBytes], [["Handbook", "keys"], 0, 22]);
    assert.ok(Math.abs((best?.similarity ?? 0) - 1) < 1e-5);
    assert.ok(chunks.every(({ similarity }, at) => similarity <= (chunks[at - 1]?.similarity ?? 1)));
    assert.deepEqual(await ids(query("meaning", "lost key", { topK: 1 })), ["keys#0"]);
    assert.deepEqual(await ids(query("meaning", "a lost key costs money", { minSimilarity: 0.99 })), ["keys#0"]);
    assert.equal((await ids(query("meaning", "key", { minSimilarity: -1 }))).length, 3);
  });

  it("finds by words too what means nothing, in the language of the collection", async () => {
    await make("hybrid");
    for (let at = 0; at < 60; at += 1) await put("hybrid", documentOf(`d${at}`, [`rooms and guests number ${at}`]));
    await put("hybrid", documentOf("code", ["the case has the code C159X"]));
    const vector = wordVector("rooms and guests", DIMENSION);
    const asked = (words: string) => query("hybrid", "", { vector, words, topK: 3 });
    assert.ok((await ids(asked("C159X"))).includes("code#0"));
    assert.ok((await ids(asked("codes of cases"))).includes("code#0"), "stems");
    for (const odd of [
      "",
      "the of and",
      "' | & ! ( ) : * \\",
      "a'b \\' <-> x & !y",
      "😀".repeat(50),
      "x ".repeat(9000),
    ])
      assert.equal((await ids(asked(odd))).length, 3, odd.slice(0, 20));
  });

  it("keeps to every kind of condition, and takes nothing of it for SQL", async () => {
    await make("filters");
    const documents: readonly [string, Metadata][] = [
      ["a", { lang: "de", year: 2024, tags: ["x", "y"], day: "2026-01-31", draft: true }],
      ["b", { lang: "en", year: 2025, tags: ["y"], day: "2026-02-01" }],
      ["c", { lang: 5, year: "2025", tags: [7, "z"], "a'; DROP TABLE chunks; --": 1 }],
    ];
    for (const [id, metadata] of documents) await put("filters", documentOf(id, ["text"], metadata));
    const cases: readonly [MetadataCondition, string][] = [
      [{ key: "lang", test: "in", values: ["de"] }, "a"],
      [{ key: "lang", test: "in", values: ["de", "en", 5] }, "abc"],
      [{ key: "lang", test: "in", values: ["5"] }, ""],
      [{ key: "tags", test: "in", values: ["y"] }, "ab"],
      [{ key: "tags", test: "in", values: [7] }, "c"],
      [{ key: "draft", test: "in", values: [true] }, "a"],
      [{ key: "year", test: "range", gte: 2025 }, "b"],
      [{ key: "year", test: "range", gt: 2023, lt: 2025 }, "a"],
      [{ key: "year", test: "range", gte: "2025" }, "c"],
      [{ key: "tags", test: "range", gte: 7 }, "c"],
      [{ key: "day", test: "range", gte: "2026-02-01" }, "b"],
      [{ key: "day", test: "range", lt: "2026-02-01" }, "a"],
      [{ key: "nothing", test: "range", lt: "z" }, ""],
      [{ key: "day", test: "exists", exists: true }, "ab"],
      [{ key: "day", test: "exists", exists: false }, "c"],
      [{ key: "a'; DROP TABLE chunks; --", test: "exists", exists: true }, "c"],
      [{ key: "a'; DROP TABLE chunks; --", test: "in", values: ["'; DROP TABLE chunks; --"] }, ""],
      [{ key: "year", test: "range", gte: "'; DROP TABLE chunks; --" }, "c"],
    ];
    for (const [condition, wanted] of cases) {
      for (const words of [undefined, "text"]) {
        const found = await ids(query("filters", "text", { filter: [condition], ...(words && { words }) }));
        const expected = [...wanted].map((id) => `${id}#0`);
        assert.deepEqual(found.sort(), expected, JSON.stringify(condition));
      }
    }
    const both: MetadataCondition[] = [
      { key: "lang", test: "in", values: ["de", "en"] },
      { key: "year", test: "range", gte: 2025 },
    ];
    assert.deepEqual(await ids(query("filters", "text", { filter: both })), ["b#0"]);
  });

  it("refuses vectors of another model or dimension, and changes nothing", async () => {
    await make("mismatch");
    const before = await put("mismatch", documentOf("a", ["one"]));
    const document = documentOf("a", ["two"]);
    const short = {
      ...document,
      chunks: document.chunks.map((chunk) => ({ ...chunk, vector: new Float32Array(3).fill(1) })),
    };
    const other = await failureOf(store.putDocument("acme", "mismatch", document, "other", never));
    assert.ok(other.reason === "COLLECTION_MISMATCH" && other.requested.embeddingModel === "other");
    assert.equal(await reasonOf(put("mismatch", short)), "COLLECTION_MISMATCH");
    assert.equal(
      await reasonOf(store.search(query("mismatch", "one", { embeddingModel: "other" }), never)),
      "COLLECTION_MISMATCH",
    );
    assert.equal((await store.collection("acme", "mismatch", never))?.corpusVersion, before.corpusVersion);
    assert.equal((await store.document("acme", "mismatch", "a", never)).text, "one");
  });

  it("leaves the old document where the new one cannot be stored", async () => {
    await make("atomic");
    await put("atomic", documentOf("a", ["one"]));
    // A NUL is refused by the database, in the second of the chunks.
    await assert.rejects(put("atomic", documentOf("a", ["two", "nul \0"])));
    assert.equal((await store.document("acme", "atomic", "a", never)).text, "one");
    assert.deepEqual(await ids(query("atomic", "two")), ["a#0"]);
  });

  it("is UNKNOWN_COLLECTION with the nearest names where there is none", async () => {
    await make("handbook");
    const failure = await failureOf(store.search(query("handbok", "x"), never));
    assert.ok(failure.reason === "UNKNOWN_COLLECTION");
    assert.equal(failure.nearest[0], "handbook");
    for (const attempt of [
      () => put("nobody", documentOf("a", ["x"])),
      () => store.deleteDocuments("acme", "nobody", ["a"], never),
      () => store.deleteCollection("acme", "nobody", never),
      () => store.documents("acme", "nobody", { after: "", prefix: "", limit: 1 }, never),
    ])
      assert.equal(await reasonOf(attempt()), "UNKNOWN_COLLECTION");
  });

  it("shows one tenant nothing of another's, whatever they are called", async () => {
    for (const tenant of ["acme", "o'brien"]) {
      await make("shared-name", tenant);
      await put("shared-name", documentOf(`of ${tenant}`, ["secret"]), tenant);
    }
    assert.deepEqual(await ids(query("shared-name", "secret")), ["of acme#0"]);
    assert.deepEqual(await ids(query("shared-name", "secret", { tenant: "o'brien", words: "secret" })), [
      "of o'brien#0",
    ]);
    assert.equal(await reasonOf(store.document("acme", "shared-name", "of o'brien", never)), "UNKNOWN_DOCUMENT");
    assert.deepEqual(
      (await store.collections("o'brien", never)).map(({ name }) => name),
      ["shared-name"],
    );
    assert.equal(await store.collection("globex", "shared-name", never), undefined);
  });

  it("has a second lock: without the tenant's setting the role of tenants sees no row", async () => {
    await make("locked");
    await put("locked", documentOf("a", ["secret"]));
    const client = await pool.connect();
    try {
      await client.query("BEGIN; SET LOCAL ROLE sluice_tenant");
      for (const table of ["collections", "documents", "chunks"]) {
        const { rows } = await client.query(`SELECT count(*)::int AS count FROM ${table}`);
        assert.equal(rows[0].count, 0, table);
      }
      const matched =
        "SELECT count(*)::int AS count FROM generate_series(1, 50) id, sluice_match_words(id, 'secret', NULL)";
      assert.equal((await client.query(matched)).rows[0].count, 0);
      await client.query("SET LOCAL sluice.tenant = 'globex'");
      assert.equal((await client.query("SELECT count(*)::int AS count FROM chunks")).rows[0].count, 0);
      assert.equal((await client.query(matched)).rows[0].count, 0);
      await assert.rejects(client.query("SELECT FROM chunk_words"), /permission denied/);
    } finally {
      await client.query("ROLLBACK");
      client.release();
    }
  });

  it("takes many documents and questions at once", async () => {
    await make("at-once");
    const texts = Array.from({ length: 40 }, (_, at) => `document number ${at % 4}`);
    await Promise.all(texts.map((text, at) => put("at-once", documentOf(`d${at % 10}`, [text]))));
    const found = await store.collection("acme", "at-once", never);
    assert.deepEqual([found?.documentCount, found?.chunkCount], [10, 10]);
    const answers = await Promise.all(texts.map((text) => store.search(query("at-once", text), never)));
    assert.ok(answers.every(({ chunks }) => chunks.length === 10));
  });

  it("stops waiting when its caller leaves, and goes on for others", async () => {
    await make("leaving");
    await put("leaving", documentOf("a", ["one"]));
    const controller = new AbortController();
    const left = store.search(query("leaving", "one"), controller.signal);
    controller.abort(new Error("the caller left"));
    await assert.rejects(left, /the caller left/);
    assert.deepEqual(await ids(query("leaving", "one")), ["a#0"]);
  });

  it("embeds anew beside the old vectors, goes on where it stopped, and switches over at the end", async () => {
    await make("reembed");
    for (const id of ["a", "b", "c"]) await put("reembed", documentOf(id, [`text of ${id}`, "more"]));
    const model = { embeddingModel: "better", dimension: 8 };
    const next = (limit: number) => store.reembedBatch("acme", "reembed", model, limit, never);
    const keep = async (limit: number) => {
      const batch = await next(limit);
      const vectors = batch.chunks.map(({ text }) => wordVector(text, 8));
      await store.storeReembedded("acme", "reembed", { ...batch, vectors }, never);
      return batch.chunks.length;
    };
    const finish = () => store.finishReembedding("acme", "reembed", "better", never);
    assert.equal(await keep(2), 2);
    assert.equal(await finish(), false);
    assert.equal((await store.collection("acme", "reembed", never))?.reembeddingModel, "better");
    assert.equal((await ids(query("reembed", "text of a"))).length, 6, "answers as before");
    // Documents come, change and go meanwhile.
    await put("reembed", documentOf("a", ["changed"]));
    await store.deleteDocuments("acme", "reembed", ["c"], never);
    const stale = await next(10);
    await put("reembed", documentOf("b", ["changed too"]));
    const vectors = stale.chunks.map(({ text }) => wordVector(text, 8));
    await store.storeReembedded("acme", "reembed", { ...stale, vectors }, never);
    assert.equal(await finish(), false, "a chunk that changed meanwhile has no new vector");
    assert.equal(await keep(10), 1);
    assert.equal(await keep(10), 0);
    const before = (await store.collection("acme", "reembed", never))?.corpusVersion;
    assert.equal(await finish(), true);
    const found = await store.collection("acme", "reembed", never);
    assert.deepEqual([found?.embeddingModel, found?.dimension, found?.reembeddingModel], ["better", 8, undefined]);
    assert.notEqual(found?.corpusVersion, before);
    const asked = query("reembed", "", {
      vector: wordVector("changed", 8),
      embeddingModel: "better",
      words: "changed",
    });
    assert.deepEqual((await ids(asked)).sort(), ["a#0", "b#0"]);
  });

  it("finds by its index what a comparison with every vector finds", async () => {
    await make("indexed");
    const random = randomNumbers(7);
    const centres = Array.from({ length: 40 }, () => unit(Array.from({ length: DIMENSION }, () => random() - 0.5)));
    const near = () => {
      const centre = centres[Math.floor(random() * centres.length)] ?? [];
      return unit(centre.map((number) => number + (random() - 0.5) * 0.2));
    };
    const vectors: Float32Array[] = [];
    for (let part = 0; part < 25; part += 1) {
      const chunks = Array.from({ length: 100 }, (_, at) => {
        const vector = Float32Array.from(near());
        vectors.push(vector);
        return { text: `${part}.${at}`, headingPath: [], startOffsetBytes: 0, endOffsetBytes: 1, vector };
      });
      const base = documentOf(`part-${part}`, ["x"], { part, is_rare: part === 3 });
      await put("indexed", { ...base, chunks });
    }
    await store.buildIndexes();
    assert.equal((await store.collection("acme", "indexed", never))?.isIndexed, true);
    let hits = 0;
    for (let times = 0; times < 20; times += 1) {
      const vector = Float32Array.from(near());
      const found = new Set(await ids(query("indexed", "", { vector })));
      const byDistance = vectors.map((other, at) => ({ at, similarity: dot(vector, other) }));
      byDistance.sort((a, b) => b.similarity - a.similarity);
      for (const { at } of byDistance.slice(0, 10))
        if (found.has(`part-${Math.floor(at / 100)}#${at % 100}`)) hits += 1;
      const rare = await ids(
        query("indexed", "", { vector, filter: [{ key: "is_rare", test: "in", values: [true] }] }),
      );
      // So few are compared one by one.
      const nearest = byDistance.filter(({ at }) => Math.floor(at / 100) === 3).slice(0, 10);
      assert.deepEqual(
        rare,
        nearest.map(({ at }) => `part-3#${at % 100}`),
      );
    }
    assert.ok(hits >= 190, `recall@10 is ${hits / 200}`);
  }).timeout(120_000);
}
