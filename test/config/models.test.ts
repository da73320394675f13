import assert from "node:assert/strict";
import { knownContextTokens } from "../../src/adapters/model-windows.ts";
import { isLoopback, parseListenAddress } from "../../src/config/listen-address.ts";
import { familyOf } from "../../src/config/model-family.ts";

describe("knownContextTokens", () => {
  it("knows models by their provider's address, and by their name behind any other", () => {
    assert.equal(knownContextTokens({ baseUrl: "https://api.openai.com/v1" }, "gpt-5-mini"), 400_000);
    assert.equal(knownContextTokens({ baseUrl: "http://127.0.0.1:1/v1" }, "gpt-4o-mini"), 128_000);
  });

  it("does not guess", () => {
    assert.equal(knownContextTokens({ baseUrl: "https://api.openai.com/v1" }, "unheard-of"), undefined);
  });
});

describe("familyOf", () => {
  it("tells the family from the name, with and without a vendor's prefix", () => {
    const names = {
      "gpt-5-mini": "openai",
      "o3-mini": "openai",
      "claude-sonnet-4-5": "anthropic",
      "anthropic/claude-opus-4": "anthropic",
      "gemini-2.5-pro": "gemini",
      "meta-llama/Llama-3.1-8B-Instruct": "llama",
      "llama3.1:8b": "llama",
      "Mixtral-8x7B": "mistral",
      "qwen2.5": "qwen",
      "deepseek-chat": "deepseek",
      "unheard-of": "other",
      "": "other",
    };
    for (const [name, family] of Object.entries(names)) assert.equal(familyOf(name), family, name);
  });
});

describe("parseListenAddress", () => {
  it("reads names, IPv4 and bracketed IPv6 addresses with a port", () => {
    assert.deepEqual(parseListenAddress("localhost:0"), { host: "localhost", port: 0 });
    assert.deepEqual(parseListenAddress("0.0.0.0:65535"), { host: "0.0.0.0", port: 65535 });
    assert.deepEqual(parseListenAddress("[::1]:8080"), { host: "::1", port: 8080 });
  });

  it("refuses everything else", () => {
    for (const text of [
      "",
      "8080",
      ":8080",
      "host",
      "host:",
      "host:65536",
      "host:-1",
      "::1:80",
      "[x]:80",
      "a b:80",
      "http://a:80",
    ]) {
      assert.equal(parseListenAddress(text), undefined, text);
    }
  });
});

describe("isLoopback", () => {
  it("is true exactly for what only this machine can reach", () => {
    for (const host of ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "0:0:0:0:0:0:0:1"]) {
      assert.equal(isLoopback(host), true, host);
    }
    for (const host of ["0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "127.0.0.1.example.com", "1.0.0.127"]) {
      assert.equal(isLoopback(host), false, host);
    }
  });
});
