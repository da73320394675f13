import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createRefusalLog } from "../../src/rpc/call/refusal-log.ts";
import { until } from "./support/in-memory.ts";
import { closeRawConnections, rawConnection } from "./support/raw-socket.ts";
import {
  closeServers,
  memoryLog,
  startTestServer,
  type TestServer,
  type TestServerOptions,
} from "./support/test-server.ts";

const COMPLETE = "/sluice.v1.PipelineService/Complete";
const KEY = "sluice_secret";
const apiKeys = [{ id: "k", tenant: "acme", sha256: createHash("sha256").update(KEY).digest("hex") }];

describe("a refused call", () => {
  afterEach(async () => {
    closeRawConnections();
    await closeServers();
  });

  const post = (server: TestServer, headers: Record<string, string>, body = "{}", path = COMPLETE) =>
    fetch(server.url + path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

  const cases: readonly [
    reason: string,
    rpc: string | undefined,
    options: TestServerOptions,
    send: (server: TestServer) => Promise<Response>,
  ][] = [
    ["UNAUTHENTICATED", COMPLETE, { apiKeys }, (server) => post(server, { "x-api-key": "sluice_wrong" })],
    ["INVALID_REQUEST", COMPLETE, { apiKeys }, (server) => post(server, { "x-api-key": KEY }, '{"secret-text":1}')],
    ["INVALID_REQUEST", COMPLETE, {}, (server) => post(server, { "connect-timeout-ms": "soon" })],
    ["INVALID_REQUEST", COMPLETE, {}, (server) => post(server, { "content-type": "text/plain" })],
    ["RESOURCE_EXHAUSTED", COMPLETE, { limits: { messageBytes: 4 } }, (server) => post(server, {}, '{"a":1}')],
    ["PERMISSION_DENIED", undefined, {}, (server) => post(server, { origin: "https://evil.example" })],
    ["UNIMPLEMENTED", undefined, {}, (server) => post(server, {}, "{}", "/secret-path")],
  ];
  for (const [reason, rpc, options, send] of cases) {
    it(`leaves one line with ${reason}${rpc ? " and its method" : ""}, and nothing that the caller wrote`, async () => {
      const server = await startTestServer(options);
      const response = await send(server);
      await response.text();
      const callId = response.headers.get("sluice-call-id");
      assert.ok(callId);
      assert.deepEqual(server.log.lines, [
        {
          event: "call_refused",
          fields: { call_id: callId, reason, ...(rpc && { rpc: rpc.slice(1) }), peer: "127.0.0.1" },
        },
      ]);
    });
  }

  it("leaves a line with OVERLOADED", async () => {
    const server = await startTestServer({ maxCalls: 1 });
    const { socket } = await rawConnection(server);
    socket.write(
      `POST ${COMPLETE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n`,
    );
    await until(() => server.calls.inFlight() === 1);
    await post(server, {});
    assert.deepEqual(
      server.log.lines.map(({ event, fields }) => [event, fields.reason]),
      [["call_refused", "OVERLOADED"]],
    );
  });

  it("leaves no line where it is served, or where its caller left", async () => {
    const server = await startTestServer();
    assert.equal((await post(server, {})).status, 200);
    const { socket } = await rawConnection(server);
    socket.write(
      `POST ${COMPLETE} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n`,
    );
    await until(() => server.calls.inFlight() === 1);
    socket.destroy();
    await until(() => server.calls.inFlight() === 0);
    assert.deepEqual(
      server.log.lines.filter(({ event }) => event === "call_refused"),
      [],
    );
  });
});

describe("a flood of refused calls", () => {
  it("leaves 100 lines, and then says how many more there were", async () => {
    const log = memoryLog();
    const refusals = createRefusalLog(log);
    for (let number = 0; number < 5_000; number += 1) refusals({ callId: `c-${number}`, reason: "UNAUTHENTICATED" });
    const logged = log.lines.length;
    // A slow machine may need more than one second for the loop.
    assert.ok(logged >= 100 && logged < 1_000, String(logged));
    const unlogged = () =>
      log.lines
        .filter(({ event }) => event === "calls_refused_unlogged")
        .reduce((sum, { fields }) => sum + Number(fields.count), 0);
    await until(() => log.lines.filter(({ event }) => event === "call_refused").length + unlogged() === 5_000);
  });
});
