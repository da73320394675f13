import { Health } from "../../../gen/health/v1/health_pb.ts";
import { asks, framed, type Step, sends, streamComplete, type WireCase } from "../case.ts";
import { KEY } from "../wire-server.ts";

const ANSWERED = "0 with 1 message";
const REFUSED = "16 UNAUTHENTICATED";

const credentials: readonly (readonly [kind: string, headers: WireCase["headers"], ends: string])[] = [
  ["no key", {}, REFUSED],
  ["its key as bearer", { authorization: `Bearer ${KEY}` }, ANSWERED],
  ["its key as BEARER", { authorization: `BEARER   ${KEY}` }, ANSWERED],
  ["its key as x-api-key", { "x-api-key": KEY }, ANSWERED],
  ["its key twice", { authorization: `Bearer ${KEY}`, "x-api-key": KEY }, ANSWERED],
  ["two keys", { authorization: `Bearer ${KEY}`, "x-api-key": "other" }, REFUSED],
  ["two x-api-keys", { "x-api-key": [KEY, KEY] }, REFUSED],
  ["a wrong key", { "x-api-key": "sluice_wrong" }, REFUSED],
  ["an empty key", { "x-api-key": "" }, REFUSED],
  ["a password", { authorization: "Basic dTpw" }, REFUSED],
  ["an enormous key", { "x-api-key": "k".repeat(5000) }, REFUSED],
  ["a wrong key and a malformed timeout", { "x-api-key": "x", "grpc-timeout": "soon" }, REFUSED],
];

/** Who may call, which is decided by the headers alone. */
export const auth: readonly WireCase[] = [
  ...credentials.map(
    ([kind, headers, ends]): WireCase => ({
      name: `sends ${kind}`,
      server: "keyed",
      headers,
      steps: asks("\nx"),
      ends,
      handler: ends === REFUSED ? [] : ["Complete starts for acme within 10 s", "ends"],
    }),
  ),
  {
    name: "sends no key and no body, and is refused before it sends one",
    server: "keyed",
    steps: [{ await: "answer" } satisfies Step],
    ends: REFUSED,
    handler: [],
    lingers: true,
  },
  {
    name: "sends no key for a stream",
    server: "keyed",
    method: streamComplete,
    steps: asks(""),
    ends: REFUSED,
    handler: [],
  },
  {
    name: "needs no key for health",
    server: "keyed",
    method: Health.method.check,
    steps: sends(framed(new Uint8Array())),
    ends: ANSWERED,
  },
];
