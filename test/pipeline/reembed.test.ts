import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { ReembedCollectionRequestSchema } from "../../gen/sluice/v1/corpus_service_pb.ts";
import { reembed } from "../../src/pipeline/reembed.ts";
import { embeddingTarget, scriptedEndpoint } from "../support/embedding-models.ts";
import { testCall } from "../support/pipeline-ports.ts";
import { type Fixture, failureOf, fixture, put, request, text } from "./put-documents/fixture.ts";

const signal = new AbortController().signal;

function run({ ports }: Fixture, embeddingModel: string, call = testCall({ method: "ReembedCollection" })) {
  return reembed(ports, call, create(ReembedCollectionRequestSchema, { collection: "handbook", embeddingModel }));
}

async function events(made: Fixture, embeddingModel: string) {
  const all = [];
  for await (const event of run(made, embeddingModel)) all.push(event);
  return all;
}

async function filled(endpoint = scriptedEndpoint()) {
  const wide = embeddingTarget({ alias: "wide", dimension: 128, maxBatchTexts: 2, endpoint });
  const made = fixture([embeddingTarget(), wide]);
  await put(made, request(["a", "b", "c"].map((id) => text(id, `# ${id}\n\n${id} one\n\n${id} two`))));
  return { made, endpoint };
}

describe("ReembedCollection", () => {
  it("embeds every chunk as it was embedded first, then switches over", async () => {
    const { made, endpoint } = await filled();
    const before = await made.corpus.collection("acme", "handbook", signal);
    const all = await events(made, "wide");
    const last = all.at(-1);
    assert.deepEqual([last?.done, last?.embeddedChunks, last?.totalChunks], [true, 9n, 9n]);
    assert.ok(all.slice(0, -1).every(({ done }) => !done));
    const embedded = endpoint.requests.flatMap(({ texts }) => texts);
    assert.equal(embedded.length, 9);
    assert.ok(embedded.includes("a\nPart\n\na one"), embedded.join("|"));
    assert.ok((last?.costNanoUsd ?? 0n) > 0n);
    const after = await made.corpus.collection("acme", "handbook", signal);
    assert.deepEqual([after?.embeddingModel, after?.dimension, after?.reembeddingModel], ["wide", 128, undefined]);
    assert.notEqual(after?.corpusVersion, before?.corpusVersion);
  });

  it("is done at once where the collection has the model", async () => {
    const { made } = await filled();
    const all = await events(made, "words");
    assert.deepEqual(
      all.map(({ done, costNanoUsd }) => [done, costNanoUsd]),
      [[true, 0n]],
    );
  });

  it("embeds anew where the model's dimension was configured anew", async () => {
    const { made } = await filled();
    const wider = fixture([embeddingTarget({ dimension: 96 })]);
    const changed = { ...wider, ports: { ...wider.ports, corpus: made.corpus } };
    assert.equal((await events(changed, "words")).at(-1)?.done, true);
    assert.equal((await made.corpus.collection("acme", "handbook", signal))?.dimension, 96);
  });

  it("goes on where it stopped, and answers as before until then", async () => {
    const { made, endpoint } = await filled();
    const call = testCall({ method: "ReembedCollection" });
    made.corpus.before = (method) => {
      if (method === "reembedBatch" && made.corpus.asked.filter((name) => name === method).length === 2) call.leave();
    };
    const failure = await failureOf(
      run(made, "wide", call)
        .next()
        .then(async () => {
          for await (const _ of run(made, "wide", call));
        }),
    );
    assert.equal(failure.reason, "CANCELLED");
    made.corpus.before = () => {};
    assert.equal((await made.corpus.collection("acme", "handbook", signal))?.embeddingModel, "words");
    await events(made, "wide");
    const embedded = endpoint.requests.flatMap(({ texts }) => texts);
    assert.equal(new Set(embedded).size, 9);
    assert.equal(embedded.length, 9);
  });

  it("takes in what is put meanwhile", async () => {
    const { made } = await filled();
    let isPut = false;
    made.corpus.before = async (method) => {
      if (method !== "finishReembedding" || isPut) return;
      isPut = true;
      await put(made, request([text("d", "late")]));
    };
    const last = (await events(made, "wide")).at(-1);
    assert.deepEqual([last?.done, last?.totalChunks], [true, 10n]);
  });

  it("refuses unknown collections and models", async () => {
    const { made } = await filled();
    assert.equal((await failureOf(events(made, "nope"))).reason, "UNKNOWN_MODEL");
    assert.equal((await failureOf(events(fixture(), "words"))).reason, "UNKNOWN_COLLECTION");
  });
});
