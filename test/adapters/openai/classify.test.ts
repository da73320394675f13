import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { classify } from "../../../src/adapters/openai/errors/classify.ts";
import type { UpstreamErrorFields } from "../../../src/core/model.ts";

interface ProviderFixture {
  readonly provider: string;
  readonly cases: readonly {
    readonly name: string;
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: unknown;
    readonly body_text?: string;
    /** All fields of the result but `httpStatus`, `sample` and `code`. */
    readonly expect: Omit<UpstreamErrorFields, "httpStatus" | "sample" | "code">;
  }[];
}

const FOLDER = new URL("../../fixtures/upstream/providers/", import.meta.url);
const NOW_MS = Date.parse("2030-01-01T00:00:00Z");
const SECRET = "configured-key-0099";

function classified(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): UpstreamErrorFields {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return classify({ status, headers, body: text }, { nowMs: NOW_MS, secrets: [SECRET] });
}

describe("classifying a failed response", () => {
  for (const file of readdirSync(FOLDER)) {
    const fixture: ProviderFixture = JSON.parse(readFileSync(new URL(file, FOLDER), "utf8"));
    describe(fixture.provider, () => {
      for (const { name, status, headers, body, body_text, expect } of fixture.cases) {
        it(`${status}: ${name}`, () => {
          const { sample, httpStatus, code, ...found } = classified(status, body_text ?? body, headers);
          assert.deepEqual(found, expect, sample);
          assert.equal(httpStatus, status);
        });
      }
    });
  }

  it("keeps the provider's own word for the error and its parameter, where they are words", () => {
    const code = (error: object) => classified(400, { error: { message: "no", ...error } }).code;
    assert.equal(code({ code: "unsupported_parameter", param: "max_tokens" }), "unsupported_parameter max_tokens");
    assert.equal(
      code({ type: "invalid_request_error", param: "messages[0].content" }),
      "invalid_request_error messages[0].content",
    );
    assert.equal(code({ code: "two words", param: "a b" }), undefined);
    assert.equal(code({}), undefined);
  });

  it("keeps the configured key and whatever looks like a key out of the sample", () => {
    const keys = [SECRET, "sk-proj-abcdefgh12345678", "gsk_abcdefgh12345678", "AIzaSyA1234567890abcdefghijk"];
    const { sample = "" } = classified(401, {
      error: { message: `Incorrect API key provided: ${keys.join(" and ")}; Authorization: Bearer abcdef123456` },
    });
    assert.match(sample, /^Incorrect API key provided: \[redacted\]/);
    for (const key of [...keys, "abcdef123456"]) assert.ok(!sample.includes(key), key);
  });

  it("keeps long quotations, control characters and more than 500 characters out of the sample", () => {
    const prompt = "I don't want this prompt in any log, it is nobody's business at all";
    const { sample = "" } = classified(400, {
      error: { message: `Invalid value: '${prompt}'\r\n\u001b[31m${"x".repeat(2_000)}` },
    });
    assert.ok(!sample.includes("nobody"));
    assert.match(sample, /^Invalid value: '…' \[31mxxx/);
    assert.equal(sample.length, 500);
  });

  it("takes bounded time for hostile messages", () => {
    for (const part of [
      "'a ",
      "<",
      "maximum context length is 1 ",
      "max_tokens ",
      "Limit 1 ",
      "try again in 1h1m",
      "\"`'",
      "model ",
    ]) {
      const startedAt = performance.now();
      classified(400, { error: { message: part.repeat(100_000 / part.length) } });
      classified(503, part.repeat(60_000 / part.length));
      assert.ok(performance.now() - startedAt < 1_000, `slow for ${part}`);
    }
  });

  it("never throws, whatever the body", () => {
    const bodies = [
      "",
      "null",
      "[]",
      "[null]",
      "0",
      '"text"',
      "{}",
      '{"error":null}',
      '{"error":[]}',
      '{"error":{"details":[1,{"violations":[null]}]}}',
      '{"error":{"metadata":{"raw":"{\\"error\\":{\\"metadata\\":{\\"raw\\":\\"x\\"}}}"}}}',
      '{"detail":[{"msg":1}]}',
      "\ufeff{}",
      '{"message":{"a":[]}}',
    ];
    for (const body of bodies)
      for (const status of [200, 302, 400, 403, 413, 422, 429, 500, 999]) assert.ok(classified(status, body).kind);
  });
});
