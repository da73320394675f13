import assert from "node:assert/strict";
import { sniffFormat } from "../../../src/adapters/openai/answer/sniff.ts";
import { readErrorBody } from "../../../src/adapters/openai/errors/error-body.ts";
import { Dialects } from "../../../src/adapters/openai/request/dialect.ts";
import { endpointOf } from "../../../src/adapters/openai/request/endpoint.ts";
import { type RequestDialect, requestBody } from "../../../src/adapters/openai/request/request-body.ts";
import { modelRequest } from "./model-request.ts";

const DIALECT: RequestDialect = { maxTokensField: "max_tokens", hasStreamOptions: true };

describe("the request body", () => {
  it("holds what was asked and nothing else", () => {
    assert.deepEqual(JSON.parse(requestBody(modelRequest(), DIALECT)), {
      model: "small-1",
      messages: [{ role: "user", content: "Hello" }],
      max_tokens: 100,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("holds every sampling option", () => {
    const sampling = {
      temperature: 0,
      topP: 0.5,
      maxOutputTokens: 7,
      stop: ["END"],
      seed: 9_223_372_036_854_775_807n,
      presencePenalty: -1,
      frequencyPenalty: 1,
      reasoningEffort: "low" as const,
    };
    const text = requestBody(modelRequest({ sampling, streamUpstream: false }), {
      ...DIALECT,
      maxTokensField: "max_completion_tokens",
    });
    const { messages, seed, ...rest } = JSON.parse(text);
    assert.deepEqual(rest, {
      model: "small-1",
      max_completion_tokens: 7,
      temperature: 0,
      top_p: 0.5,
      stop: ["END"],
      presence_penalty: -1,
      frequency_penalty: 1,
      reasoning_effort: "low",
      stream: false,
    });
    assert.ok(text.includes('"seed":9223372036854775807'), "all digits of the seed");
  });

  it("asks for a JSON schema, strictly where the schema can be adapted, and else with its own text", () => {
    const closed =
      '{"type":"object","additionalProperties":false,"required":["b","a"],"properties":{"b":{"type":"integer"},"a":{"type":"integer","const":12345678901234567890}}}';
    const text = requestBody(
      modelRequest({ output: { kind: "json", mode: "json_schema", schemaText: closed } }),
      DIALECT,
    );
    assert.ok(
      text.includes(
        `"response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":${closed}}}`,
      ),
    );
    const open = requestBody(
      modelRequest({ output: { kind: "json", mode: "json_schema", schemaText: '{"type":"object"}' } }),
      DIALECT,
    );
    assert.ok(open.includes('"strict":false,"schema":{"type":"object"}}'));
  });

  it("asks for a JSON object, or for nothing when the prompt does", () => {
    const json = (mode: "json_object" | "prompt") =>
      JSON.parse(requestBody(modelRequest({ output: { kind: "json", mode, schemaText: "{}" } }), DIALECT));
    assert.deepEqual(json("json_object").response_format, { type: "json_object" });
    assert.equal("response_format" in json("prompt"), false);
  });
});

describe("the endpoint", () => {
  it("adds the path and the query to the base URL", () => {
    const endpoint = endpointOf({
      baseUrl: "https://x.openai.azure.com/openai/deployments/d/",
      apiKey: "k",
      query: { "api-version": "2024-10-21" },
    });
    assert.equal(
      endpoint.origin + endpoint.path,
      "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
    );
    assert.equal(endpoint.headers["api-key"], "k");
    assert.equal(endpoint.headers.authorization, undefined);
    assert.equal(endpoint.maxTokensField, "max_completion_tokens");
  });

  it("sends a bearer token, or what the configuration says, or nothing", () => {
    const base = { baseUrl: "http://127.0.0.1:8000/v1" };
    assert.equal(endpointOf({ ...base, apiKey: "k" }).headers.authorization, "Bearer k");
    assert.equal(endpointOf({ ...base, apiKey: "k", authHeader: "api-key" }).headers["api-key"], "k");
    assert.equal(endpointOf({ ...base, apiKey: "" }).headers.authorization, undefined);
    assert.equal(endpointOf({ ...base, headers: { "X-Title": "t" } }).headers["x-title"], "t");
    assert.equal(endpointOf(base).maxTokensField, "max_tokens");
    assert.equal(endpointOf({ baseUrl: "https://api.openai.com.example/v1" }).maxTokensField, "max_tokens");
  });

  it("refuses URLs that it cannot use", () => {
    for (const baseUrl of ["", "api.openai.com/v1", "ftp://x/v1", "http://user:pass@x/v1"])
      assert.throws(() => endpointOf({ baseUrl }), TypeError);
  });
});

describe("learning how a model wants its requests", () => {
  const refusal = (message: string, param = "") => readErrorBody(JSON.stringify({ error: { message, param } }));
  const renamed = refusal(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "max_tokens",
  );

  it("renames the token limit once, for that model", () => {
    const dialects = new Dialects(DIALECT);
    assert.equal(dialects.learn("a", DIALECT, renamed), true);
    assert.equal(dialects.of("a").maxTokensField, "max_completion_tokens");
    assert.equal(dialects.of("b").maxTokensField, "max_tokens");
    assert.equal(dialects.learn("a", dialects.of("a"), refusal("'max_completion_tokens' is not supported")), false);
  });

  it("mends each of several requests that were under way when the first was refused", () => {
    const dialects = new Dialects(DIALECT);
    assert.equal(dialects.learn("a", DIALECT, renamed), true);
    assert.equal(dialects.learn("a", DIALECT, renamed), true);
  });

  it("leaves out stream_options", () => {
    const dialects = new Dialects(DIALECT);
    assert.equal(dialects.learn("a", DIALECT, refusal("Extra inputs are not permitted: stream_options")), true);
    assert.deepEqual(dialects.of("a"), { ...DIALECT, hasStreamOptions: false });
  });

  it("learns nothing from other refusals", () => {
    assert.equal(new Dialects(DIALECT).learn("a", DIALECT, refusal("'temperature' is not supported")), false);
    assert.equal(new Dialects(DIALECT).learn("a", DIALECT, refusal("max_tokens must be positive")), false);
  });
});

describe("telling JSON from an event stream", () => {
  const sniff = (text: string, type = "") => sniffFormat(Buffer.from(text), type);

  it("goes by the first telling byte", () => {
    assert.equal(sniff('{"a":1}', "text/event-stream"), "json");
    assert.equal(sniff("\ufeff \n[", "text/event-stream"), "json");
    assert.equal(sniff("data: x", "application/json"), "sse");
    assert.equal(sniff(": ping", "application/json"), "sse");
    assert.equal(sniff("\ufeffevent: x", ""), "sse");
  });

  it("goes by the content type when the bytes say nothing", () => {
    assert.equal(sniff("<html>", "text/html"), "json");
    assert.equal(sniff("<html>", "text/event-stream"), "sse");
    assert.equal(sniff("\n".repeat(2_000), "text/event-stream"), "sse");
  });

  it("asks for more while there is nothing but space or part of a byte order mark", () => {
    assert.equal(sniff(" \r\n"), undefined);
    assert.equal(sniffFormat(Uint8Array.of(0xef, 0xbb), ""), undefined);
    assert.equal(sniffFormat(new Uint8Array(), ""), undefined);
  });
});
