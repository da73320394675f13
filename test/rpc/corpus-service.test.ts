import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CorpusService } from "../../gen/sluice/v1/corpus_service_pb.ts";
import { MemoryCorpus } from "../support/memory-corpus.ts";
import { fakePipeline } from "./support/fake-ports.ts";
import { collect, failureOf, inMemory } from "./support/in-memory.ts";

const signal = new AbortController().signal;
const settings = { embeddingModel: "words", dimension: 2, language: "english" };

async function corpusOf(tenant: string, ids: readonly string[]) {
  const corpus = new MemoryCorpus(() => Date.UTC(2026, 0, 2));
  await corpus.ensureCollection(tenant, "handbook", settings, signal);
  for (const id of ids) {
    const chunk = { text: `text of ${id}`, headingPath: [], startOffsetBytes: 0, endOffsetBytes: 9 };
    const document = {
      id,
      title: `title of ${id}`,
      contentHash: "ab",
      text: `text of ${id}`,
      metadata: { n: [1, "a"] },
    };
    const chunks = [{ ...chunk, vector: Float32Array.of(1, 0) }];
    await corpus.putDocument(tenant, "handbook", { ...document, chunks }, "words", signal);
  }
  return corpus;
}

const TENANT = "local";

async function clientOf(ids: readonly string[]) {
  const corpus = await corpusOf(TENANT, ids);
  return { corpus, client: inMemory({ ports: { corpus } }).client(CorpusService) };
}

describe("CorpusService", () => {
  it("hands puts and re-embeddings to the pipeline, with the call's id", async () => {
    const pipeline = fakePipeline();
    const client = inMemory({ ports: { pipeline } }).client(CorpusService);
    const { callId } = await client.putDocuments({ collection: "handbook", documents: [] });
    assert.equal(callId, pipeline.calls[0]?.id);
    const events = await collect(client.reembedCollection({ collection: "handbook", embeddingModel: "words" }));
    assert.deepEqual(
      events.map(({ done }) => done),
      [true],
    );
    assert.deepEqual(
      pipeline.calls.map(({ method }) => method),
      ["PutDocuments", "ReembedCollection"],
    );
  });

  it("returns a document with its text and metadata", async () => {
    const { client } = await clientOf(["a.md"]);
    const { document } = await client.getDocument({ collection: "handbook", documentId: "a.md" });
    assert.deepEqual(
      [document?.id, document?.title, document?.text, document?.textBytes, document?.chunkCount, document?.metadata],
      ["a.md", "title of a.md", "text of a.md", 12n, 1, { n: [1, "a"] }],
    );
    assert.equal(document?.updateTime?.seconds, BigInt(Date.UTC(2026, 0, 2) / 1000));
  });

  it("lists documents page by page, the same whatever comes meanwhile before them", async () => {
    const { client, corpus } = await clientOf(["b/1", "b/2", "b/3", "c"]);
    const request = { collection: "handbook", idPrefix: "b/", pageSize: 2 };
    const first = await client.listDocuments(request);
    assert.deepEqual(
      first.documents.map(({ id, text }) => [id, text]),
      [
        ["b/1", ""],
        ["b/2", ""],
      ],
    );
    await corpus.deleteDocuments(TENANT, "handbook", ["b/1"], signal);
    const second = await client.listDocuments({ ...request, pageToken: first.nextPageToken, pageSize: 1 });
    assert.deepEqual(
      second.documents.map(({ id }) => id),
      ["b/3"],
    );
    assert.equal(second.nextPageToken, "");
  });

  it("refuses page tokens of another question, of another tenant, and those that are none", async () => {
    const { client } = await clientOf(["a", "b", "c"]);
    const { nextPageToken: pageToken } = await client.listDocuments({ collection: "handbook", pageSize: 1 });
    assert.notEqual(pageToken, "");
    const other = await corpusOf("acme", ["a", "b"]);
    const sha256 = createHash("sha256").update("key").digest("hex");
    const apiKeys = [{ id: "k", tenant: "acme", sha256 }];
    const foreign = inMemory({ ports: { corpus: other }, apiKeys }).client(CorpusService);
    const headers = { authorization: "Bearer key" };
    for (const call of [
      client.listDocuments({ collection: "handbook", idPrefix: "a", pageToken }),
      client.listDocuments({ collection: "handbooks", pageToken }),
      client.listDocuments({ collection: "handbook", pageToken: `${pageToken}A` }),
      client.listDocuments({ collection: "handbook", pageToken: "nonsense" }),
      client.listDocuments({
        collection: "handbook",
        pageToken: Buffer.from(JSON.stringify([1, "x", "a\0"])).toString("base64url"),
      }),
      foreign.listDocuments({ collection: "handbook", pageToken }, { headers }),
    ]) {
      const { reason, fields } = await failureOf(call);
      assert.deepEqual([reason, fields], ["INVALID_REQUEST", ["page_token"]]);
    }
  });

  it("deletes documents, each once, and says which were there", async () => {
    const { client, corpus } = await clientOf(["a", "b"]);
    const ids = ["a", "nope", "a"];
    const { deletedIds, corpusVersion } = await client.deleteDocuments({ collection: "handbook", documentIds: ids });
    assert.deepEqual(deletedIds, ["a"]);
    assert.equal((await corpus.collection(TENANT, "handbook", signal))?.corpusVersion, corpusVersion);
  });

  it("lists and deletes collections", async () => {
    const { client } = await clientOf(["a", "b"]);
    const { collections } = await client.listCollections({});
    const [{ name, embeddingModel, dimension, language, documentCount, chunkCount } = {}] = collections;
    assert.deepEqual(
      [name, embeddingModel, dimension, language, documentCount, chunkCount],
      ["handbook", "words", 2, "english", 2n, 2n],
    );
    const { documentCount: deleted } = await client.deleteCollection({ collection: "handbook" });
    assert.equal(deleted, 2n);
    assert.deepEqual((await client.listCollections({})).collections, []);
  });

  it("says what is unknown, and shows no tenant another's", async () => {
    const corpus = await corpusOf("acme", ["a"]);
    const { client } = await clientOf(["a"]);
    const foreign = inMemory({ ports: { corpus } }).client(CorpusService);
    for (const [call, reason] of [
      [client.getDocument({ collection: "handbook", documentId: "b" }), "UNKNOWN_DOCUMENT"],
      [client.listDocuments({ collection: "nope" }), "UNKNOWN_COLLECTION"],
      [client.deleteCollection({ collection: "nope" }), "UNKNOWN_COLLECTION"],
      [foreign.getDocument({ collection: "handbook", documentId: "a" }), "UNKNOWN_COLLECTION"],
      [foreign.deleteDocuments({ collection: "handbook", documentIds: ["a"] }), "UNKNOWN_COLLECTION"],
    ] as const) {
      assert.equal((await failureOf(call)).reason, reason);
    }
    assert.deepEqual((await foreign.listCollections({})).collections, []);
  });

  it("refuses what breaks a rule before the store is asked", async () => {
    const { client, corpus } = await clientOf([]);
    const asked = corpus.asked.length;
    for (const [call, field] of [
      [client.getDocument({ collection: "'; DROP TABLE", documentId: "a" }), "collection"],
      [client.getDocument({ collection: "handbook", documentId: "a\0" }), "document_id"],
      [client.listDocuments({ collection: "handbook", pageSize: 1001 }), "page_size"],
      [client.listDocuments({ collection: "handbook", idPrefix: "\0" }), "id_prefix"],
      [client.deleteDocuments({ collection: "handbook", documentIds: ["a", "b\0"] }), "document_ids[1]"],
      [client.deleteDocuments({ collection: "handbook", documentIds: [] }), "document_ids"],
    ] as const) {
      const { reason, fields } = await failureOf(call);
      assert.deepEqual([reason, fields], ["INVALID_REQUEST", [field]]);
    }
    assert.equal(corpus.asked.length, asked);
  });
});
