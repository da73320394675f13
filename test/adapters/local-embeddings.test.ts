import assert from "node:assert/strict";
import { createLocalEmbeddings, DIMENSION } from "../../src/adapters/local-embeddings/index.ts";
import type { EmbeddingRequest } from "../../src/core/embedding.ts";
import { silentLog } from "../../src/core/log.ts";

const request = (texts: readonly string[]): EmbeddingRequest => ({
  ...{ callId: "call", attempt: 1, providerModel: "use-lite", texts, dimension: DIMENSION, sendsDimension: false },
  timeouts: { firstByteMs: 1, idleMs: 1, attemptMs: 1 },
});
const never = new AbortController().signal;
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, number, at) => sum + number * (b[at] ?? 0), 0);

describe("the built-in embedding model", function () {
  this.timeout(60_000);
  const model = createLocalEmbeddings({ log: silentLog });
  after(() => model.close());
  const embed = async (...texts: string[]) => (await model.embed(request(texts), never)).vectors;

  it("gives 512 numbers of length 1, the same for the same text whatever its company", async () => {
    const [alone] = await embed("Dogs are welcome.");
    const [, inCompany] = await embed("Something else.", "Dogs are welcome.");
    assert.ok(alone && inCompany);
    assert.equal(alone.length, 512);
    assert.ok(Math.abs(Math.hypot(...alone) - 1) < 1e-5);
    assert.ok(dot(alone, inCompany) > 0.9999);
  });

  it("puts near each other what means the same", async () => {
    const [question, answer, other] = await embed(
      "When is breakfast?",
      "Breakfast is served from half past seven.",
      "The stopcock is behind the panel.",
    );
    assert.ok(question && answer && other);
    assert.ok(dot(question, answer) > dot(question, other) + 0.2);
  });

  it("takes odd texts: symbols, half characters, very long words", async () => {
    const vectors = await embed("§", "\ud800", "😀", "x".repeat(20_000));
    assert.ok(vectors.every((vector) => Math.abs(Math.hypot(...vector) - 1) < 1e-5));
  });

  it("leaves the main thread to others, and lets a question pass a folder", async () => {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 1);
    let isFolderDone = false;
    const folder = embed(...Array.from({ length: 64 }, (_, at) => `passage ${at} about dogs and guests `.repeat(30)));
    void folder.then(() => {
      isFolderDone = true;
    });
    await embed("When is breakfast?");
    assert.equal(isFolderDone, false);
    const startedMs = performance.now();
    const ticksBefore = ticks;
    await folder;
    clearInterval(timer);
    // A thread that was blocked would have had none or few.
    assert.ok(ticks - ticksBefore > (performance.now() - startedMs) / 20);
  });

  it("stops waiting when its caller leaves, and goes on for others", async () => {
    const controller = new AbortController();
    const left = model.embed(request(["one"]), controller.signal);
    controller.abort(new Error("the caller left"));
    await assert.rejects(left, /the caller left/);
    assert.equal((await embed("two")).length, 1);
  });

  it("fails what is under way when it is closed", async () => {
    const closing = createLocalEmbeddings({ log: silentLog });
    const lost = closing.embed(request(["one"]), never);
    lost.catch(() => {});
    await closing.close();
    await assert.rejects(lost, /unreachable/);
  });
});
