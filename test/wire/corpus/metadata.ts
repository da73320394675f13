import { asks, streamComplete, type WireCase } from "../case.ts";
import { ECHO_HEADER } from "../wire-server.ts";

const ANSWERED = "0 with 1 message";
const echo = { [ECHO_HEADER]: "yes" };

const sets: readonly (readonly [kind: string, headers: Readonly<Record<string, string | readonly string[]>>])[] = [
  ["nothing of its own", {}],
  ["ASCII", { "own-name": "a value", "echo-header-a": "h", "echo-trailer-a": "t" }],
  ["an empty value", { "own-name": "", "echo-header-a": "", "echo-trailer-a": "" }],
  ["spaces around a value", { "own-name": "  a  " }],
  [
    "all of printable ASCII",
    { "own-name": String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i)).trim() },
  ],
  ["binary with padding", { "own-bin": "AQ==", "echo-header-bin": "AQ==", "echo-trailer-bin": "AQ==" }],
  ["binary without padding", { "own-bin": "AQ", "echo-header-bin": "AQ", "echo-trailer-bin": "AQ" }],
  ["binary that is no base64", { "own-bin": "!!!", "echo-header-bin": "!!!", "echo-trailer-bin": "!!!" }],
  ["repeated binary", { "own-bin": ["AQ", "Ag"], "echo-trailer-bin": ["AQ", "Ag"] }],
  ["repeated ASCII", { "own-name": ["a", "b", "c"], "echo-header-a": ["a", "b"], "echo-trailer-a": ["a", "b"] }],
  ["commas", { "own-name": "a, b,c", "echo-header-a": "a, b,c", "echo-trailer-a": "a, b,c" }],
  ["text beyond ASCII", { "own-name": "\u00e5\u00e9", "echo-header-a": "\u00e5", "echo-trailer-a": "\u00e5" }],
  ["reserved names", { "grpc-previous-rpc-attempts": "2", "grpc-own": "x", "grpc-tags-bin": "AAA" }],
  ["answers' names", { "grpc-status": "5", "grpc-message": "no" }],
  ["names with underscores and dots", { own_name: "a", "own.name": "b" }],
  ["cookies", { cookie: ["a=1", "b=2"] }],
  ["names of Object's own", { constructor: "a", "to-string": "b" }],
  ["many names", Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`own-${index}`, `${index}`]))],
  ["8 KiB", { "own-name": "x".repeat(8192) }],
  ["a user agent", { "user-agent": "grpc-test/1" }],
  ["an origin of its own host", { "sec-fetch-site": "none" }],
];

/** Metadata both ways: what handlers see of it, and what comes back. */
export const metadata: readonly WireCase[] = [
  ...sets.map(
    ([kind, headers]): WireCase => ({
      name: `sends metadata: ${kind}`,
      headers: { ...echo, ...headers },
      steps: asks("\nx"),
      ends: ANSWERED,
    }),
  ),
  {
    name: "gets metadata with a stream",
    method: streamComplete,
    headers: { ...echo, "echo-header-a": "h", "echo-trailer-a": ["t", "u"], "echo-trailer-bin": "AQ" },
    steps: asks("\nx"),
    ends: "0 with 3 messages",
  },
  {
    name: "gets its own metadata's trailers not at all with an error, which comes before them",
    headers: { ...echo, "echo-header-a": "h", "echo-trailer-a": "t" },
    steps: asks("then=fail:CACHE_MISS"),
    ends: "9 CACHE_MISS",
  },
  {
    name: "gets metadata with a stream that fails in the middle",
    method: streamComplete,
    headers: { ...echo, "echo-header-a": "h", "echo-trailer-a": "t" },
    steps: asks("messages=1 then=fail:CACHE_MISS"),
    ends: "9 CACHE_MISS with 1 message",
  },
  {
    name: "comes from a foreign page",
    headers: { origin: "https://evil.example" },
    steps: asks(""),
    ends: "7 PERMISSION_DENIED",
  },
  {
    name: "names a foreign host",
    headers: { ":authority": "evil.example" },
    steps: asks(""),
    ends: "7 PERMISSION_DENIED",
  },
];
