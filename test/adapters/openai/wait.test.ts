import assert from "node:assert/strict";
import { readErrorBody } from "../../../src/adapters/openai/errors/error-body.ts";
import {
  type ResponseHeaders,
  shouldRetry,
  toldWaitMs,
  windowResetMs,
} from "../../../src/adapters/openai/errors/wait.ts";

const NOW_MS = Date.parse("2030-01-01T00:00:00Z");

function told(headers: ResponseHeaders, body: unknown = ""): number | undefined {
  return toldWaitMs(headers, readErrorBody(typeof body === "string" ? body : JSON.stringify(body)), NOW_MS);
}

function reset(headers: ResponseHeaders, body: unknown = ""): number | undefined {
  return windowResetMs(headers, readErrorBody(JSON.stringify(body)), NOW_MS);
}

describe("the wait that a provider asks for", () => {
  const headers: readonly [ResponseHeaders, number | undefined][] = [
    [{ "retry-after-ms": "174" }, 174],
    [{ "retry-after-ms": "0" }, 0],
    [{ "retry-after-ms": "12.2" }, 13],
    [{ "x-ms-retry-after-ms": "350", "retry-after": "9" }, 350],
    [{ "retry-after": "2" }, 2_000],
    [{ "retry-after": " 0.25 " }, 250],
    [{ "retry-after": "1m2s" }, 62_000],
    [{ "retry-after": "Tue, 01 Jan 2030 00:00:30 GMT" }, 30_000],
    [{ "retry-after": "Tuesday, 01-Jan-30 00:00:30 GMT" }, 30_000],
    [{ "retry-after": "Tue Jan  1 00:00:30 2030" }, 30_000],
    [{ "retry-after": "2030-01-01T00:00:01.5Z" }, 1_500],
    [{ "retry-after": "Mon, 31 Dec 2029 23:59:30 GMT" }, undefined],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "NaN" }, undefined],
    [{ "retry-after": "Infinity" }, undefined],
    [{ "retry-after": "1e9" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "" }, undefined],
    [{ "retry-after-ms": "nonsense", "retry-after": "3" }, 3_000],
    [{ "retry-after": "99999999999999999999" }, 366 * 86_400_000],
    [{}, undefined],
  ];
  for (const [given, expected] of headers) {
    it(`${JSON.stringify(given)} means ${expected}`, () => assert.equal(told(given), expected));
  }

  const messages: readonly [string, number | undefined][] = [
    ["Please try again in 174ms.", 174],
    ["Please try again in 9.816s. Visit", 9_816],
    ["Please try again in 1m2.5s", 62_500],
    ["Please retry in 10h17m5.723541104s.", 37_025_724],
    ["Please retry after 86400 seconds.", 86_400_000],
    ["try again in 2 minutes", 120_000],
    ["Please wait 20 seconds before retrying", 20_000],
    ["Please wait 1 minute", 60_000],
    ["Try again at 2030-01-01T00:01:00Z", 60_000],
    ["Please try again later.", undefined],
    ["You have 3 seconds of audio", undefined],
    ["retry 3 times", undefined],
  ];
  for (const [message, expected] of messages) {
    it(`"${message}" means ${expected}`, () => assert.equal(told({}, { error: { message } }), expected));
  }

  it("is read from the body's fields", () => {
    assert.equal(told({}, [{ error: { details: [{ "@type": "x" }, { retryDelay: "46s" }] } }]), 46_000);
    assert.equal(told({}, { error: { metadata: { retry_after_seconds: 1.5 } } }), 1_500);
    assert.equal(told({}, { error: { message: "wait" }, retry_after: "7" }), 7_000);
    assert.equal(told({}, { error: { metadata: { headers: { "Retry-After": "4" } } } }), 4_000);
    assert.equal(told({}, { error: { retry_after: -1 } }), undefined);
  });

  it("prefers headers to the body, and the body's fields to its text", () => {
    const body = { error: { message: "try again in 5s", details: [{ retryDelay: "4s" }] } };
    assert.equal(told({ "retry-after": "3" }, body), 3_000);
    assert.equal(told({}, body), 4_000);
    assert.equal(told({ "retry-after": "Mon, 31 Dec 2029 23:59:30 GMT" }, body), 4_000);
  });
});

describe("the reset of rate limit windows", () => {
  it("counts the shortest window that is used up", () => {
    const headers = {
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "2m59.56s",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "7.66s",
    };
    assert.equal(reset(headers), 7_660);
    assert.equal(reset({ ...headers, "x-ratelimit-remaining-tokens": "80" }), 179_560);
  });

  it("reads timestamps, durations, seconds and times since 1970", () => {
    assert.equal(reset({ "anthropic-ratelimit-tokens-reset": "2030-01-01T00:00:07Z" }), 7_000);
    assert.equal(reset({ "x-ratelimit-reset": String(NOW_MS + 1_500) }), 1_500);
    assert.equal(reset({ "x-ratelimit-reset": String(NOW_MS / 1_000 + 2) }), 2_000);
    assert.equal(reset({ "ratelimit-reset": "12" }), 12_000);
    assert.equal(reset({ "x-ratelimit-reset": String(NOW_MS - 1) }), undefined);
    assert.equal(reset({}, { error: { metadata: { headers: { "X-RateLimit-Reset": String(NOW_MS + 900) } } } }), 900);
  });
});

describe("x-should-retry", () => {
  it("is true, false or nothing", () => {
    assert.equal(shouldRetry({ "x-should-retry": "true" }), true);
    assert.equal(shouldRetry({ "x-should-retry": "False" }), false);
    assert.equal(shouldRetry({ "x-should-retry": "maybe" }), undefined);
    assert.equal(shouldRetry({}), undefined);
  });
});
