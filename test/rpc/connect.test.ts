import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { HttpRequest, HttpResponse } from "../../src/rpc/server/exchange.ts";
import { closeServers, startTestServer, type TestServer } from "./support/test-server.ts";

const COMPLETE = "/sluice.v1.PipelineService/Complete";
const STREAM = "/sluice.v1.PipelineService/StreamComplete";

interface Answer {
  readonly status: number;
  readonly header: Headers;
  readonly code: string | undefined;
  readonly violations: readonly { readonly field?: string; readonly reason?: string; readonly description?: string }[];
  readonly text: string;
}

type ErrorBody = {
  code?: string;
  details?: { type: string; debug: { fieldViolations?: Answer["violations"] } }[];
};

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = response.headers.get("content-type") === "application/json";
  const error: ErrorBody = isJson ? JSON.parse(text) : {};
  const violations = error.details?.flatMap(({ debug }) => debug.fieldViolations ?? []) ?? [];
  return { status: response.status, header: response.headers, code: error.code, violations, text };
}

describe("Connect over HTTP/1.1", () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await startTestServer({ limits: { messageBytes: 4096 } });
  });
  afterEach(closeServers);

  const post = async (path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    answerOf(
      await fetch(server.url + path, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...headers },
      }),
    );

  it("answers JSON typed by hand, with the call id in the header", async () => {
    const { status, header, text } = await post(COMPLETE, '{"input": {"model": "fast"}}');
    assert.equal(status, 200);
    assert.equal(JSON.parse(text).completion.callId, header.get("sluice-call-id"));
  });

  for (const [kind, body, field, reason] of [
    ["an unknown key", '{"input":{"foo":1}}', "input.foo", "JSON_UNKNOWN_FIELD"],
    ["an unknown key of the request", '{"__proto__":{}}', "__proto__", "JSON_UNKNOWN_FIELD"],
    ["a wrong type", '{"input":{"model":1}}', "input.model", "JSON_TYPE"],
    [
      "a camel-case key's wrong type",
      '{"input":{"prompt":{"variablesJson":{}}}}',
      "input.prompt.variables_json",
      "JSON_TYPE",
    ],
    ["an unknown enum name", '{"input":{"messages":[{},{"role":"BOSS"}]}}', "input.messages[1].role", "JSON_TYPE"],
    ["a lone surrogate", '{"input":{"model":"\\ud800"}}', "input.model", "JSON_TYPE"],
    ["an object for a list", '{"input":{"messages":{}}}', "input.messages", "JSON_TYPE"],
    ["a list for an object", '{"input":[]}', "input", "JSON_TYPE"],
    [
      "a number out of range",
      '{"input":{"generation":{"maxOutputTokens":-1}}}',
      "input.generation.max_output_tokens",
      "JSON_TYPE",
    ],
    ["a key twice", '{"input":{},"input":{}}', undefined, "JSON"],
    ["text that is no JSON", '{"input":', undefined, "JSON"],
    ["an empty body", "", undefined, undefined],
    ["bytes that are not UTF-8", Uint8Array.of(0x22, 0xff, 0x22), undefined, "STRING_UTF8"],
    [
      "JSON nested deeper than any message",
      `{"input":{"prompt":{"variables":{"a":${"[".repeat(500)}${"]".repeat(500)}}}}}`,
      "input.prompt.variables",
      "JSON_TYPE",
    ],
  ] as const) {
    it(`answers INVALID_REQUEST for ${kind}${field ? ` and names ${field}` : ""}`, async () => {
      const { status, code, violations, text } = await post(COMPLETE, body);
      assert.deepEqual([status, code], [400, "invalid_argument"]);
      assert.match(text, /"reason":"INVALID_REQUEST"/);
      assert.equal(violations.length, 1);
      assert.equal(violations[0]?.field, field);
      if (reason) assert.equal(violations[0]?.reason, reason);
      assert.deepEqual(
        server.log.lines.map(({ event, fields }) => [event, fields.reason, fields.peer]),
        [["call_refused", "INVALID_REQUEST", "127.0.0.1"]],
      );
    });
  }

  for (const [kind, body, description] of [
    [
      "the names of an enum",
      '{"input":{"messages":[{"role":"BOSS"}]}}',
      "must be one of ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT",
    ],
    [
      "that JSON is wanted as a string",
      '{"input":{"output":{"json":{"schema":{"type":"object"}}}}}',
      "must be text: the JSON written as a string",
    ],
    ["that text is wanted", '{"input":{"model":1}}', "must be text"],
    [
      "the range of a number",
      '{"input":{"generation":{"maxOutputTokens":-1}}}',
      "must be a whole number from 0 to 4294967295",
    ],
    ["where JSON breaks", '{\n  "input": {oops}\n}', "must be JSON; it cannot be read on at line 2, column 13"],
  ] as const) {
    it(`says ${kind} in a violation`, async () => {
      const { violations } = await post(COMPLETE, body);
      assert.equal(violations[0]?.description, description);
    });
  }

  it("names the field in streams too", async () => {
    const json = Buffer.from('{"input":{"foo":1}}');
    const envelope = Buffer.concat([Buffer.from([0, 0, 0, 0, json.length]), json]);
    const { status, text } = await post(STREAM, Uint8Array.from(envelope), {
      "content-type": "application/connect+json",
    });
    assert.equal(status, 200);
    assert.match(text, /"field":"input\.foo"/);
  });

  it("answers INVALID_REQUEST for a message that does not decompress, and UNIMPLEMENTED for an unknown compression", async () => {
    const damaged = await post(COMPLETE, Uint8Array.of(1, 2, 3), { "content-encoding": "gzip" });
    assert.deepEqual([damaged.status, damaged.code], [400, "invalid_argument"]);
    assert.match(damaged.text, /INVALID_REQUEST/);
    const unknown = await post(COMPLETE, "{}", { "content-encoding": "snappy" });
    assert.equal(unknown.code, "unimplemented");
  });

  it("takes gzip", async () => {
    assert.equal((await post(COMPLETE, Uint8Array.from(gzipSync("{}")), { "content-encoding": "gzip" })).status, 200);
  });

  it("takes a message of the limit, and refuses one byte more whether or not its length is announced", async () => {
    const body = (bytes: number) => `{"input":{"model":"${"m".repeat(bytes - 22)}"}}`;
    assert.equal((await post(COMPLETE, body(4096))).status, 200);
    assert.deepEqual([(await post(COMPLETE, body(4097))).code], ["resource_exhausted"]);
    const stream = new Blob([body(1_000_000)]).stream();
    const headers = { "content-type": "application/json" };
    const response = await fetch(server.url + COMPLETE, { method: "POST", body: stream, duplex: "half", headers });
    assert.equal((await answerOf(response)).code, "resource_exhausted");
  });

  it("names the content types that a method takes", async () => {
    const unary = await post(COMPLETE, "a=b", { "content-type": "application/x-www-form-urlencoded" });
    assert.equal(
      unary.violations[0]?.description,
      "must be application/json, application/proto, application/grpc… or application/grpc-web…",
    );
    const stream = await post(STREAM, "{}");
    assert.equal(stream.status, 415);
    assert.equal(
      stream.violations[0]?.description,
      "must be application/connect+json, application/connect+proto, application/grpc… or application/grpc-web…",
    );
  });

  it("answers another content type with 415, another method with 405, both typed", async () => {
    const form = await post(COMPLETE, "a=b", { "content-type": "application/x-www-form-urlencoded" });
    assert.deepEqual([form.status, form.violations[0]?.field], [415, "content-type"]);
    assert.match(form.header.get("sluice-call-id") ?? "", /^[0-9a-f-]{36}$/);
    const get = await answerOf(await fetch(server.url + COMPLETE));
    assert.deepEqual([get.status, get.header.get("allow"), get.violations[0]?.reason], [405, "POST", "METHOD"]);
  });

  it("answers unknown paths in the protocol of the request", async () => {
    const json = await post("/sluice.v1.PipelineService/Nope", "{}");
    assert.deepEqual([json.status, json.code], [404, "unimplemented"]);
    const web = await fetch(`${server.url}/nope`, {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto" },
    });
    assert.deepEqual([web.status, web.headers.get("grpc-status")], [200, "12"]);
    const stream = await post("/nope", "", { "content-type": "application/connect+json" });
    assert.deepEqual([stream.status, JSON.parse(stream.text.slice(5)).error.code], [200, "unimplemented"]);
    const page = await fetch(`${server.url}/`);
    assert.deepEqual([page.status, page.headers.get("content-type")], [404, "text/plain; charset=utf-8"]);
    assert.match(await page.text(), /this is Sluice/);
  });

  it("speaks gRPC-Web, errors in the trailer frame", async () => {
    const response = await fetch(server.url + COMPLETE, {
      method: "POST",
      headers: { "content-type": "application/grpc-web+proto" },
      body: Uint8Array.of(0, 0, 0, 0, 2, 10, 30),
    });
    assert.equal(response.status, 200);
    const text = await response.text();
    assert.match(text, /grpc-status: ?3/);
    assert.match(text, /grpc-status-details-bin:/);
  });

  it("lets others answer what is no RPC, in their order, and nothing else", async () => {
    const answers = (path: string, text: string) => (request: HttpRequest, response: HttpResponse) => {
      if (request.url !== path) return false;
      response.end(text);
      return true;
    };
    const withPage = await startTestServer({ answerers: [answers("/page", "a page"), answers("/page", "another")] });
    assert.equal(await (await fetch(`${withPage.url}/page`)).text(), "a page");
    assert.equal((await fetch(`${withPage.url}/other`)).status, 404);
    assert.equal((await fetch(withPage.url + COMPLETE)).status, 405);
  });
});
