import assert from "node:assert/strict";
import { CacheStatus } from "../../../gen/sluice/v1/completion_pb.ts";
import type { UpstreamErrorFields } from "../../../src/core/model.ts";
import { embedTexts } from "../../../src/pipeline/embed.ts";
import { fakeClock } from "../../support/clock.ts";
import { scriptedEndpoint } from "../../support/embedding-models.ts";
import { embeddingTarget, embedPorts, faultyEndpoint, heldEndpoint, jobOf, wordVector } from "./fixture.ts";

const numbered = (count: number, word = "text") => Array.from({ length: count }, (_, index) => `${word} ${index}`);

/** Why each promise failed; undefined for those that did not. */
async function reasons(promises: readonly Promise<unknown>[]): Promise<(string | undefined)[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((one) => (one.status === "rejected" ? String(one.reason.message) : undefined));
}

describe("batches of texts", () => {
  it("are shared by calls that come at the same moment", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint, maxBatchTexts: 64 }));
    const answers = await Promise.all(numbered(100).map((text) => embedTexts(ports, jobOf(ports, [text]))));
    assert.deepEqual(
      endpoint.requests.map(({ texts }) => texts.length),
      [64, 36],
    );
    assert.deepEqual(
      answers.map(({ vectors }) => vectors),
      numbered(100).map((text) => [wordVector(text, 64)]),
    );
    assert.equal(ports.embedBatches.size, 0);
  });

  it("never hold texts of two tenants", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const tenants = ["acme", "globex", "initech"];
    await Promise.all(
      numbered(60).map((text, index) => {
        const tenant = tenants[index % 3] ?? "";
        return embedTexts(ports, jobOf(ports, [`${tenant} ${text}`, "the same for all"], { tenant }));
      }),
    );
    assert.equal(endpoint.requests.length, 3);
    for (const { texts } of endpoint.requests) {
      const own = texts.filter((text) => text !== "the same for all");
      assert.deepEqual([texts.length, own.length], [21, 20]);
      assert.equal(new Set(own.map((text) => text.split(" ")[0])).size, 1);
    }
  });

  it("hold no more texts and tokens than the model takes", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint, maxBatchTexts: 3, maxBatchTokens: 7 }));
    const texts = ["a b c", "d e f", "g h", "i", "j", "k", "l", "m n o p q r s t", "u"];
    const { vectors } = await embedTexts(ports, jobOf(ports, texts));
    assert.deepEqual(
      endpoint.requests.map((request) => request.texts),
      [["a b c", "d e f"], ["g h", "i", "j"], ["k", "l"], ["m n o p q r s t"], ["u"]],
    );
    assert.deepEqual(
      vectors,
      texts.map((text) => wordVector(text, 64)),
    );
  });

  it("go at once when they are full, and else when the window is over", async () => {
    const endpoint = heldEndpoint();
    const windows: (() => void)[] = [];
    const after = (_ms: number, callback: () => void) => {
      windows.push(callback);
      return () => {};
    };
    const clock = { ...fakeClock(), after };
    const ports = embedPorts(embeddingTarget({ endpoint, maxBatchTexts: 4 }), { clock });
    const full = embedTexts(ports, jobOf(ports, numbered(4)));
    (await endpoint.request(0)).answer();
    await full;
    assert.equal(windows.length, 0);
    const part = embedTexts(ports, jobOf(ports, numbered(3, "other")));
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([windows.length, endpoint.requests.length], [1, 1]);
    windows[0]?.();
    (await endpoint.request(1)).answer();
    await part;
  });

  it("wait for nothing without a window", async () => {
    const endpoint = scriptedEndpoint();
    const clock = { ...fakeClock(), after: () => assert.fail("nothing is waited for") };
    const ports = embedPorts(embeddingTarget({ endpoint }), { clock, coalesceMs: 0 });
    await embedTexts(ports, jobOf(ports, ["a"]));
    assert.equal(endpoint.requests.length, 1);
  });

  it("are under way as many at once as the model takes, and what waits shares what comes next", async () => {
    const endpoint = heldEndpoint();
    const limits = { maxConcurrency: 2, maxQueue: 0 };
    const ports = embedPorts(embeddingTarget({ endpoint, maxBatchTexts: 2, limits }));
    const all = embedTexts(ports, jobOf(ports, numbered(7)));
    await endpoint.request(1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(endpoint.requests.length, 2);
    for (let index = 0; index < 4; index += 1) (await endpoint.request(index)).answer();
    await all;
    assert.deepEqual(
      endpoint.requests.map(({ texts }) => texts.length),
      [2, 2, 2, 1],
    );
  });

  it("are not sent where a text is too long by our own count, which is named", async () => {
    const endpoint = scriptedEndpoint();
    const ports = embedPorts(embeddingTarget({ endpoint, maxInputTokens: 3 }));
    const job = jobOf(ports, ["a b c", "d e f g h"]);
    const failure = {
      ...{ reason: "CONTEXT_OVERFLOW", promptTokens: 5, reservedOutputTokens: 0, windowTokens: 3 },
      ...{ largestPart: "texts[1]", largestPartTokens: 5, reportedByProvider: false },
    };
    await assert.rejects(embedTexts(ports, job), { failure });
    const named = { ...jobOf(ports, ["d e f g h"]), fieldOf: () => "the query" };
    await assert.rejects(embedTexts(ports, named), { failure: { ...failure, largestPart: "the query" } });
    assert.deepEqual([endpoint.requests.length, ports.embedBatches.size], [0, 0]);
  });
});

describe("a batch of which the provider refuses one text", () => {
  const kinds = {
    request_refused: "PROVIDER_MISCONFIGURED",
    context_overflow: "CONTEXT_OVERFLOW",
    payload_too_large: "CONTEXT_OVERFLOW",
    content_filtered_input: "CONTENT_FILTERED",
    exceeds_rate_window: "REQUEST_EXCEEDS_RATE_WINDOW",
  } as const;
  for (const [kind, reason] of Object.entries(kinds) as [UpstreamErrorFields["kind"], string][]) {
    it(`fails only the call whose text it is: ${kind}`, async () => {
      const endpoint = faultyEndpoint(({ texts }) =>
        texts.includes("text 11") ? { kind, httpStatus: 400 } : undefined,
      );
      const ports = embedPorts(embeddingTarget({ endpoint }));
      const jobs = numbered(16).map((text) => jobOf(ports, [text]));
      const failed = await reasons(jobs.map((job) => embedTexts(ports, job)));
      assert.deepEqual(
        failed,
        numbered(16).map((text) => (text === "text 11" ? reason : undefined)),
      );
      // The whole, and of each halving both halves.
      assert.equal(endpoint.requests.length, 1 + 2 * 4);
    });
  }

  it("names the text by the provider's own word of its limit", async () => {
    const endpoint = faultyEndpoint(({ texts }) =>
      texts.includes("b b") ? { kind: "context_overflow", httpStatus: 400, limit: 1 } : undefined,
    );
    const ports = embedPorts(embeddingTarget({ endpoint }));
    await assert.rejects(embedTexts(ports, jobOf(ports, ["a", "b b", "c"])), {
      failure: {
        ...{ reason: "CONTEXT_OVERFLOW", promptTokens: 2, reservedOutputTokens: 0, windowTokens: 1 },
        ...{ largestPart: "texts[1]", largestPartTokens: 2, reportedByProvider: true },
      },
    });
  });

  it("is not taken to pieces for a call that has failed already", async () => {
    const endpoint = faultyEndpoint(() => ({ kind: "content_filtered_input", httpStatus: 400 }));
    const ports = embedPorts(embeddingTarget({ endpoint }));
    await assert.rejects(embedTexts(ports, jobOf(ports, numbered(64))), { message: "CONTENT_FILTERED" });
    assert.deepEqual(
      endpoint.requests.map(({ texts }) => texts.length),
      [64, 32, 16, 8, 4, 2, 1],
    );
  });

  it("is given up where it is the request that is refused, and not a text", async () => {
    const endpoint = faultyEndpoint(() => ({ kind: "request_refused", httpStatus: 400 }));
    const ports = embedPorts(embeddingTarget({ endpoint }));
    const failed = await reasons(numbered(64).map((text) => embedTexts(ports, jobOf(ports, [text]))));
    assert.deepEqual(new Set(failed), new Set(["PROVIDER_MISCONFIGURED"]));
    assert.ok(endpoint.requests.length < 15, `${endpoint.requests.length} requests`);
    assert.equal(ports.embedBatches.size, 0);
  });

  it("stores what is good", async () => {
    const endpoint = faultyEndpoint(({ texts }) =>
      texts.includes("text 2") ? { kind: "content_filtered_input", httpStatus: 400 } : undefined,
    );
    const ports = embedPorts(embeddingTarget({ endpoint }));
    await reasons(numbered(4).map((text) => embedTexts(ports, jobOf(ports, [text]))));
    const again = await embedTexts(ports, jobOf(ports, ["text 0", "text 1", "text 3"]));
    assert.deepEqual(new Set(again.statuses), new Set([CacheStatus.MEMORY_HIT]));
    await assert.rejects(embedTexts(ports, jobOf(ports, ["text 2"])), { message: "CONTENT_FILTERED" });
  });
});
