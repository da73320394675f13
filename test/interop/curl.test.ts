import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { run } from "../support/child.ts";
import { useServer } from "../support/running-server.ts";
import { useTemporaryFolder } from "../support/temporary-folder.ts";
import { tier } from "../support/tiers.ts";
import { document } from "./document.ts";

const input = { prompt: { name: "summarize", variables: { text: document } } };

tier("curl", ({ program }) => {
  for (const version of ["--http1.1", "--http2-prior-knowledge"]) {
    describe(`a caller with curl ${version}`, () => {
      const server = useServer();
      const inFolder = useTemporaryFolder();

      /** Posts a body to a method of PipelineService, and gives the HTTP status and the body of the answer. */
      async function post(method: string, contentType: string, body: string | Uint8Array) {
        const file = inFolder("answer");
        const url = `${server().url}/sluice.v1.PipelineService/${method}`;
        const { code, stdout, stderr } = await run(
          program,
          [
            ...["--silent", "--show-error", version, "--header", `content-type: ${contentType}`],
            ...["--data-binary", "@-", "--output", file, "--write-out", "%{http_code}", url],
          ],
          { input: body },
        );
        assert.deepEqual({ code, stderr }, { code: 0, stderr: "" });
        return { status: Number(stdout), body: await readFile(file) };
      }

      it("gets a completion as JSON", async () => {
        const { status, body } = await post("Complete", "application/json", JSON.stringify({ input }));
        const { completion } = JSON.parse(body.toString());
        assert.equal(status, 200);
        assert.notEqual(completion.text, "");
        assert.equal(completion.finishReason, "FINISH_REASON_STOP");
        assert.equal(completion.synthetic, true);
      });

      it("gets a stream as enveloped JSON", async () => {
        const message = Buffer.from(JSON.stringify({ input }));
        const { status, body } = await post("StreamComplete", "application/connect+json", envelope(message));
        assert.equal(status, 200);
        const frames = envelopes(body);
        const end = frames.at(-1);
        assert.deepEqual({ flags: end?.flags, error: end?.json.error }, { flags: 2, error: undefined });
        const events = frames.slice(0, -1).map(({ json }) => json);
        assert.ok(events[0]?.started);
        const deltas = events.flatMap((event) => event.textDelta?.text ?? []);
        assert.equal(deltas.join(""), events.at(-1)?.finished?.completion.text);
      });

      it("gets the reason of an error as JSON", async () => {
        const request = { input: { ...input, model: "no-such-model" } };
        const { status, body } = await post("Complete", "application/json", JSON.stringify(request));
        const error = JSON.parse(body.toString());
        assert.equal(status, 404);
        assert.equal(error.code, "not_found");
        const info = error.details.find(({ type }: { type: string }) => type === "google.rpc.ErrorInfo");
        assert.equal(info.debug.reason, "UNKNOWN_MODEL");
        assert.equal(info.debug.domain, "sluice.v1");
      });
    });
  }
});

/** One message of a Connect stream: a byte of flags, four of length, and the message. */
function envelope(message: Uint8Array): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function envelopes(body: Buffer) {
  const found = [];
  for (let start = 0; start < body.length; ) {
    const end = start + 5 + body.readUInt32BE(start + 1);
    found.push({ flags: body.readUInt8(start), json: JSON.parse(body.subarray(start + 5, end).toString()) });
    start = end;
  }
  return found;
}
