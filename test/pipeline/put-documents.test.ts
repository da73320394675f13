import assert from "node:assert/strict";
import type { JsonObject } from "@bufbuild/protobuf";
import { PutStatus } from "../../gen/sluice/v1/corpus_service_pb.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { UpstreamError } from "../../src/core/model.ts";
import { putDocuments } from "../../src/pipeline/put-documents.ts";
import { embeddingTarget, scriptedEndpoint } from "../support/embedding-models.ts";
import { testCall } from "../support/pipeline-ports.ts";
import { failureOf, fixture, put, request, text } from "./put-documents/fixture.ts";

const signal = new AbortController().signal;

describe("PutDocuments", () => {
  it("makes the collection, stores each document with its chunks, and says what it cost", async () => {
    const endpoint = scriptedEndpoint();
    const { corpus, ports } = fixture([embeddingTarget({ endpoint })]);
    const markdown = { id: "b.md", content: { case: "markdown", value: "# Leave\n\nTwo weeks" } } as const;
    const response = await put(
      { corpus, ports, reader: fixture().reader },
      request([text("a.txt", "one two\n\nthree"), { ...markdown, metadata: { team: "hr", year: 2026 } }]),
    );
    assert.deepEqual(
      response.results.map(({ documentId, status, chunkCount, textBytes }) => [
        documentId,
        status,
        chunkCount,
        textBytes,
      ]),
      [
        ["a.txt", PutStatus.CREATED, 2, 14n],
        ["b.md", PutStatus.CREATED, 2, 18n],
      ],
    );
    assert.equal(response.usage?.promptTokens, 11n);
    assert.equal(response.costNanoUsd, 11n);
    assert.equal(response.embeddingModel, "words");
    const collection = await corpus.collection("acme", "handbook", signal);
    assert.equal(collection?.corpusVersion, response.corpusVersion);
    assert.deepEqual([collection?.dimension, collection?.language, collection?.documentCount], [64, "english", 2]);
    const stored = await corpus.document("acme", "handbook", "b.md", signal);
    assert.deepEqual([stored.title, stored.metadata], ["Leave", { team: "hr", year: 2026 }]);
    assert.deepEqual(endpoint.requests[0]?.texts, [
      "one two",
      "three",
      "Leave\nPart\n\n# Leave",
      "Leave\nPart\n\nTwo weeks",
    ]);
    const row = ports.records.find((record) => record.type === "call_finished");
    assert.equal(row?.method, "PutDocuments");
    assert.deepEqual([row?.attempts, row?.cost_nano_usd, row?.error_reason], [1, "11", ""]);
  });

  it("leaves unchanged documents as they are: nothing is read, embedded, stored or paid", async () => {
    const endpoint = scriptedEndpoint();
    const made = fixture([embeddingTarget({ endpoint })]);
    const first = await put(made, request([text("a", "one"), text("b", "two")]));
    const asked = made.corpus.asked.length;
    const again = await put(made, request([text("b", "two"), text("a", "one")]));
    assert.deepEqual(
      again.results.map(({ documentId, status, chunkCount, textBytes }) => [documentId, status, chunkCount, textBytes]),
      [
        ["b", PutStatus.UNCHANGED, 1, 3n],
        ["a", PutStatus.UNCHANGED, 1, 3n],
      ],
    );
    assert.equal(again.corpusVersion, first.corpusVersion);
    assert.deepEqual([again.usage?.promptTokens, again.costNanoUsd], [0n, 0n]);
    assert.equal(endpoint.requests.length, 1);
    assert.equal(made.reader.count, 2);
    assert.deepEqual(made.corpus.asked.slice(asked), ["collection", "summaries"]);
  });

  it("counts a change of kind, title or metadata as a change, and no other order of keys", async () => {
    const made = fixture();
    const base = { ...text("a", "one"), title: "T", metadata: { x: 1, y: ["p", "q"] } };
    await put(made, request([base]));
    const statusOf = async (document: Parameters<typeof request>[0]) =>
      (await put(made, request(document))).results[0]?.status;
    assert.equal(await statusOf([{ ...base, metadata: { y: ["p", "q"], x: 1 } }]), PutStatus.UNCHANGED);
    assert.equal(await statusOf([{ ...base, metadata: { x: 1, y: ["q", "p"] } }]), PutStatus.UPDATED);
    assert.equal(await statusOf([{ ...base, title: "U" }]), PutStatus.UPDATED);
    assert.equal(await statusOf([{ ...base, content: { case: "markdown", value: "one" } }]), PutStatus.UPDATED);
    assert.equal(await statusOf([{ ...base, content: { case: "text", value: "two" } }]), PutStatus.UPDATED);
  });

  it("refuses what cannot be read by field and rule, and changes nothing", async () => {
    for (const [value, rule] of [
      ["broken", "document.broken"],
      ["blank", "document.empty"],
      ["huge", "document.too_large"],
    ] as const) {
      const made = fixture();
      const bad = { id: "c.html", content: { case: "html", value } } as const;
      const failure = await failureOf(put(made, request([text("a", "one"), bad])));
      assert.ok(failure.reason === "INVALID_REQUEST");
      assert.deepEqual(
        failure.violations.map(({ field, rule }) => [field, rule]),
        [["documents[1].html", rule]],
      );
      assert.deepEqual(await made.corpus.collections("acme", signal), []);
    }
  });

  it("refuses metadata that is none, naming the place", async () => {
    const long = "x".repeat(1025);
    const cases = [
      [{ "a' OR 1=1 --": 1 }, `documents[0].metadata["a' OR 1=1 --"]`, "metadata.key"],
      [{ tags: ["a", { b: 1 }] }, "documents[0].metadata.tags[1]", "metadata.value"],
      [{ a: null }, "documents[0].metadata.a", "metadata.value"],
      [{ a: Number.NaN }, "documents[0].metadata.a", "metadata.number"],
      [{ a: long }, "documents[0].metadata.a", "metadata.text"],
      [{ a: "x\0y" }, "documents[0].metadata.a", "metadata.text"],
      [{ a: "\ud800" }, "documents[0].metadata.a", "metadata.text"],
      [{ a: Array(65).fill(1) }, "documents[0].metadata.a", "metadata.max_items"],
      [
        Object.fromEntries(Array.from({ length: 65 }, (_, n) => [`k${n}`, n])),
        "documents[0].metadata",
        "metadata.max_keys",
      ],
      [{ a: Array(20).fill("x".repeat(1000)) }, "documents[0].metadata", "metadata.max_bytes"],
    ] as const;
    for (const [metadata, field, rule] of cases) {
      const made = fixture();
      const failure = await failureOf(
        put(made, request([{ ...text("a", "one"), metadata: structuredClone(metadata) as JsonObject }])),
      );
      assert.ok(failure.reason === "INVALID_REQUEST", failure.reason);
      assert.deepEqual([failure.violations[0]?.field, failure.violations[0]?.rule], [field, rule]);
      assert.deepEqual(made.corpus.asked, []);
    }
  });

  it("refuses ids twice, too many documents, and halves of surrogate pairs in ids", async () => {
    const many = Array.from({ length: 65 }, (_, n) => text(`d${n}`, "x"));
    for (const [documents, field] of [
      [[text("a", "x"), text("a", "y")], "documents"],
      [many, "documents"],
      [[], "documents"],
      [[text("a\ud800", "x")], "documents[0].id"],
      [[{ id: "a" }], "documents[0].content"],
    ] as const) {
      const failure = await failureOf(put(fixture(), request([...documents])));
      assert.ok(failure.reason === "INVALID_REQUEST");
      assert.equal(failure.violations[0]?.field, field);
    }
  });

  it("refuses another model or language than the collection's, and a model whose dimension changed", async () => {
    const made = fixture([embeddingTarget(), embeddingTarget({ alias: "other" })]);
    await put(made, request([text("a", "one")]));
    const before = await made.corpus.collection("acme", "handbook", signal);
    const other = await failureOf(put(made, request([text("a", "two")], { embeddingModel: "other" })));
    assert.ok(other.reason === "COLLECTION_MISMATCH");
    assert.deepEqual(other.requested, { embeddingModel: "other" });
    const german = await failureOf(put(made, request([text("a", "two")], { language: "german" })));
    assert.ok(german.reason === "COLLECTION_MISMATCH");
    assert.deepEqual(german.requested, { language: "german" });
    const wider = fixture([embeddingTarget({ dimension: 128 })]);
    const changed = { ...wider, ports: { ...wider.ports, corpus: made.corpus } };
    const dimension = await failureOf(put(changed, request([text("a", "two")])));
    assert.ok(dimension.reason === "COLLECTION_MISMATCH");
    assert.deepEqual(dimension.requested, { dimension: 128 });
    await put(made, request([text("a", "one")], { embeddingModel: "words", language: "english" }));
    assert.deepEqual(await made.corpus.collection("acme", "handbook", signal), before);
  });

  it("refuses a model that is not configured", async () => {
    const failure = await failureOf(put(fixture(), request([text("a", "one")], { embeddingModel: "nope" })));
    assert.equal(failure.reason, "UNKNOWN_MODEL");
  });

  it("changes nothing where the model sends bad vectors, and charges what was spent", async () => {
    const endpoint = scriptedEndpoint();
    const broken = {
      async embed(): Promise<never> {
        throw new UpstreamError({
          kind: "bad_vectors",
          message: "a number is NaN",
          httpStatus: 200,
        } as ConstructorParameters<typeof UpstreamError>[0]);
      },
    };
    const made = fixture([embeddingTarget({ endpoint })]);
    await put(made, request([text("a", "one")]));
    const before = await made.corpus.collection("acme", "handbook", signal);
    const bad = fixture([embeddingTarget({ endpoint: broken })]);
    const over = { ...bad, ports: { ...bad.ports, corpus: made.corpus } };
    const failure = await failureOf(put(over, request([text("a", "two"), text("b", "three")])));
    assert.notEqual(failure.reason, "INTERNAL");
    assert.deepEqual(await made.corpus.collection("acme", "handbook", signal), before);
    assert.equal((await made.corpus.document("acme", "handbook", "a", signal)).text, "one");
    const row = bad.ports.records.find((record) => record.type === "call_finished");
    assert.ok(row && row.attempts > 0);
    await failureOf(put(bad, request([text("a", "two")])));
    assert.deepEqual(await bad.corpus.collections("acme", signal), []);
  });

  it("names the chunk that is longer than the model takes", async () => {
    const made = fixture([embeddingTarget({ maxInputTokens: 3 })]);
    const failure = await failureOf(put(made, request([text("a", "one"), text("b", "two\n\none two three four")])));
    assert.ok(failure.reason === "CONTEXT_OVERFLOW");
    assert.equal(failure.largestPart, "documents[1].chunks[1]");
  });

  it("says in a dry run what would be done and cost, and does nothing", async () => {
    const endpoint = scriptedEndpoint();
    const made = fixture([embeddingTarget({ endpoint })]);
    const fresh = await put(made, request([text("a", "one two three")], { dryRun: true }));
    assert.deepEqual([fresh.results[0]?.status, fresh.results[0]?.chunkCount], [PutStatus.CREATED, 1]);
    assert.deepEqual([fresh.usage?.promptTokens, fresh.usage?.estimated, fresh.costNanoUsd], [3n, true, 3n]);
    assert.equal(fresh.corpusVersion, "");
    assert.deepEqual(await made.corpus.collections("acme", signal), []);
    await put(made, request([text("a", "one"), text("b", "two")]));
    const { length } = endpoint.requests;
    const next = await put(made, request([text("a", "one"), text("b", "other")], { dryRun: true }));
    assert.deepEqual(
      next.results.map(({ status }) => status),
      [PutStatus.UNCHANGED, PutStatus.UPDATED],
    );
    assert.equal(endpoint.requests.length, length);
    assert.equal((await made.corpus.document("acme", "handbook", "b", signal)).text, "two");
    const row = made.ports.records.findLast((record) => record.type === "call_finished");
    assert.equal(row?.cost_nano_usd, "0");
  });

  it("says that a cost is unknown where the price is", async () => {
    const made = fixture([embeddingTarget()], { price: null });
    const dry = await put(made, request([text("a", "one")], { dryRun: true }));
    assert.equal(dry.costNanoUsd, undefined);
    const wet = await put(made, request([text("a", "one")]));
    assert.equal(wet.costNanoUsd, undefined);
  });

  it("counts the built-in model's tokens, which cost nothing", async () => {
    const made = fixture([embeddingTarget({ isBuiltIn: true })], { price: null });
    for (const dryRun of [true, false]) {
      const { usage, costNanoUsd } = await put(made, request([text("a", "one two")], { dryRun }));
      assert.deepEqual([usage?.promptTokens, usage?.estimated, costNanoUsd], [2n, true, 0n]);
    }
  });

  it("stops at once when the caller leaves, and stores nothing more", async () => {
    const call = testCall({ method: "PutDocuments" });
    const made = fixture();
    made.corpus.before = (method) => {
      if (method === "putDocument" && made.corpus.asked.filter((name) => name === method).length === 2) call.leave();
    };
    const documents = ["a", "b", "c"].map((id) => text(id, id));
    const failure = await failureOf(putDocuments(made.ports, call, request(documents)));
    assert.equal(failure.reason, "CANCELLED");
    made.corpus.before = () => {};
    const left = await made.corpus.documents("acme", "handbook", { after: "", prefix: "", limit: 10 }, signal);
    assert.deepEqual(
      left.map(({ id }) => id),
      ["a"],
    );
    const resumed = await put(made, request(documents));
    assert.deepEqual(
      resumed.results.map(({ status }) => status),
      [PutStatus.UNCHANGED, PutStatus.CREATED, PutStatus.CREATED],
    );
  });

  it("passes on that the store is away", async () => {
    const made = fixture();
    made.corpus.before = () => {
      throw new SluiceError({ reason: "STORE_UNAVAILABLE", resource: "postgres", limit: 0, retryAfterMs: 1000 });
    };
    assert.equal((await failureOf(put(made, request([text("a", "one")])))).reason, "STORE_UNAVAILABLE");
  });
});
