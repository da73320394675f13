import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { CacheMode, CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, CompletionSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { explain } from "../../src/pipeline/explain.ts";
import { target } from "../support/models.ts";
import { pipelinePorts, testCall } from "../support/pipeline-ports.ts";

const input = (text: string, mode: CacheMode = CacheMode.DEFAULT) =>
  create(CompletionInputSchema, {
    messages: [{ role: Role.USER, content: [{ content: { case: "text", value: text } }] }],
    cache: { mode },
  });
const ports = pipelinePorts([target()]);
const preview = async (...asked: Parameters<typeof input>) => {
  const { cache } = await explain(ports, testCall(), input(...asked));
  return cache ?? assert.fail("no preview of the cache");
};

describe("what Explain says of the cache", () => {
  it("has both keys, their parts and the version of the corpus", async () => {
    const { key, requestKey, parts, requestParts, corpusVersion, status } = await preview("caf\u00e9");
    assert.match(key, /^[0-9a-f]{64}$/);
    assert.match(requestKey, /^[0-9a-f]{64}$/);
    assert.notEqual(key, requestKey);
    assert.equal(corpusVersion, "none");
    assert.equal(status, CacheStatus.MISS);
    assert.ok(parts.some(({ name, digest }) => name === "messages" && /^[0-9a-f]{16}$/.test(digest)));
    assert.ok(parts.some(({ name, digest }) => name === "provider_settings" && digest === ""));
    assert.ok(requestParts.some(({ name }) => name === "corpus_version"));
    assert.ok(!parts.some(({ name }) => name === "corpus_version"));
    assert.equal((await preview("cafe\u0301")).key, key);
  });

  it("shows by its parts why two requests do not share an answer", async () => {
    const [one, other] = [await preview("one"), await preview("other")];
    const differing = one.parts.filter(({ digest }, index) => digest !== other.parts[index]?.digest);
    assert.deepEqual(
      differing.map(({ name }) => name),
      ["messages"],
    );
  });

  it("says where the answer lies", async () => {
    const { key } = await preview("stored");
    const tags = { tenant: "acme", promptName: "", promptVersion: "", models: ["fast"] };
    await ports.cache.memory.set(key, { completion: create(CompletionSchema), tags }, 1000);
    assert.equal((await preview("stored")).status, CacheStatus.MEMORY_HIT);
    assert.equal((await preview("stored", CacheMode.BYPASS)).status, CacheStatus.BYPASSED);
    assert.equal((await preview("stored", CacheMode.REFRESH)).status, CacheStatus.MISS);
  });
});
