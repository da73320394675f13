import assert from "node:assert/strict";
import { streamWrites } from "../../support/scripted-upstream/bytes.ts";
import { chunk, type ScriptedEvent, usageChunk } from "../../support/scripted-upstream.ts";
import { attempt, withUpstream } from "./model-request.ts";
import { randomPieces, seededRandom } from "./seeded-cuts.ts";

const SEEDS = 60;

/** Streams that a chunking could spoil: every line end, split characters, errors, a bad byte, no end. */
const STREAMS: Readonly<Record<string, readonly ScriptedEvent[]>> = {
  good: [
    { raw: "\ufeff" },
    { comment: "hi" },
    chunk({ content: "Åle🛳" }),
    chunk({ content: "夜" }),
    chunk({}, "stop"),
    usageChunk(),
    { data: "[DONE]" },
  ],
  "split surrogates": [
    { raw: 'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n\n' },
    { raw: 'data: {"choices":[{"delta":{"content":"\\udef3"}}]}\n\n' },
    chunk({}, "stop"),
  ],
  "an error": [chunk({ content: "a" }), chunk({ content: "b" }), { data: { error: { code: 502, message: "down" } } }],
  "a bad byte": [
    chunk({ content: "a" }),
    { raw_base64: Buffer.from("data: {\xff}\n\n", "latin1").toString("base64") },
    chunk({}, "stop"),
  ],
  "no end": [chunk({ content: "a" }), { data: "[DONE]" }],
};

describe("chunking", () => {
  for (const [name, sse] of Object.entries(STREAMS)) {
    for (const eol of ["\n", "\r\n", "\r"]) {
      it(`never changes the outcome: ${name}, lines end with ${JSON.stringify(eol)}`, async () => {
        const bytes = Buffer.concat(streamWrites({ sse, eol }).map((write) => write.bytes));
        const cuts = Array.from({ length: SEEDS }, (_, seed) => randomPieces(bytes, seededRandom(seed)));
        const steps = [[bytes], ...cuts].map((pieces) => ({
          keep_alive: true,
          headers: { "content-type": "text/event-stream" },
          sse: pieces.map((piece) => ({ raw_base64: Buffer.from(piece).toString("base64") })),
        }));
        await withUpstream(steps, async (model) => {
          // How many deltas there are depends on what arrives together, and on nothing else.
          const { deltas: _, ...whole } = await attempt(model);
          for (let seed = 0; seed < SEEDS; seed++) {
            const { deltas: _, ...cut } = await attempt(model);
            assert.deepEqual(cut, whole, `seed ${seed}`);
          }
        });
      });
    }
  }
});
