import assert from "node:assert/strict";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { createHostCheck } from "../../src/rpc/server/hosts.ts";
import { detailsOf, GrpcClient } from "./support/grpc-client.ts";
import { closeRawConnections, rawConnection } from "./support/raw-socket.ts";
import { closeServers, startTestServer, type TestServer } from "./support/test-server.ts";

const COMPLETE = "/sluice.v1.PipelineService/Complete";

describe("the host check", () => {
  it("takes loopback names and addresses, with any port, where the server listens on loopback", () => {
    const isKnown = createHostCheck("127.0.0.1", []);
    for (const host of [
      "localhost",
      "LOCALHOST:80",
      "a.localhost:1",
      "127.0.0.1:8080",
      "127.1.2.3",
      "[::1]:80",
      "localhost.",
    ]) {
      assert(isKnown(host), host);
    }
  });

  it("refuses every other host there", () => {
    const isKnown = createHostCheck("localhost", []);
    for (const host of [
      "evil.example",
      "localhost.evil.example",
      "127.0.0.1.nip.io",
      "10.0.0.1",
      "[::2]",
      "",
      "a b",
      "evil@localhost",
    ]) {
      assert(!isKnown(host), host);
    }
  });

  it("takes the hosts of the configuration, and only their port where one is named", () => {
    const isKnown = createHostCheck("::1", ["Sluice.internal", "other:8443"]);
    assert(isKnown("sluice.internal") && isKnown("SLUICE.internal:99") && isKnown("other:8443"));
    assert(!isKnown("other") && !isKnown("other:80"));
  });

  it("takes every well-formed host where the server listens to the network", () => {
    const isKnown = createHostCheck("0.0.0.0", []);
    assert(isKnown("sluice.example:443"));
    assert(!isKnown("") && !isKnown("a/b"));
  });
});

describe("a request that names a foreign host", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer();
  });
  afterEach(async () => {
    closeRawConnections();
    await closeServers();
  });

  it("gets PERMISSION_DENIED as gRPC has it", async () => {
    const client = new GrpcClient(server, { "grpc.default_authority": "evil.example" });
    const { code, trailer } = await client.call(PipelineService.method.complete, {});
    client.close();
    assert.equal(code, 7);
    assert.equal(detailsOf(trailer).reason, "PERMISSION_DENIED");
  });

  for (const [kind, head, expected] of [
    ["Connect", `POST ${COMPLETE}`, /^HTTP\/1\.1 403[\s\S]*sluice-call-id[\s\S]*"code":"permission_denied"/i],
    ["a page", "GET /", /^HTTP\/1\.1 403[\s\S]*text\/plain[\s\S]*not allowed: /],
  ] as const) {
    it(`gets 403 as ${kind} has it`, async () => {
      const { socket, closed } = await rawConnection(server);
      socket.write(
        `${head} HTTP/1.1\r\nhost: evil.example\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`,
      );
      assert.match(await closed, expected);
    });
  }
});

describe("a request from a web page", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await startTestServer({ cors: ["https://app.example.com"] });
  });
  afterEach(closeServers);

  const post = (origin: string) =>
    fetch(server.url + COMPLETE, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json", origin },
    });

  it("is served for our own origin, without CORS headers", async () => {
    const response = await post(server.url);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("access-control-allow-origin"), null);
  });

  it("is served for a listed origin, which may read what callers need", async () => {
    const response = await post("https://app.example.com");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("access-control-allow-origin"), "https://app.example.com");
    const exposed = response.headers.get("access-control-expose-headers")?.toLowerCase() ?? "";
    for (const name of [
      "sluice-call-id",
      "grpc-status",
      "grpc-message",
      "grpc-status-details-bin",
      "grpc-retry-pushback-ms",
    ]) {
      assert(exposed.includes(name), name);
    }
    assert.match(response.headers.get("vary") ?? "", /origin/);
  });

  for (const origin of [
    "https://evil.example",
    "null",
    "http://app.example.com",
    "https://app.example.com.evil.example",
  ]) {
    it(`is refused for ${origin}`, async () => {
      const response = await post(origin);
      assert.equal(response.status, 403);
      assert.match(await response.text(), /"PERMISSION_DENIED"/);
      assert.equal(response.headers.get("access-control-allow-origin"), null);
    });
  }

  const preflight = (origin: string) =>
    fetch(server.url + COMPLETE, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers":
          "content-type,connect-protocol-version,connect-timeout-ms,x-grpc-web,grpc-timeout,authorization",
      },
    });

  it("is preceded by a preflight that allows what Connect and gRPC-Web send", async () => {
    const response = await preflight("https://app.example.com");
    assert.equal(response.status, 204);
    const allowed = response.headers.get("access-control-allow-headers")?.toLowerCase() ?? "";
    for (const name of [
      "content-type",
      "connect-protocol-version",
      "connect-timeout-ms",
      "x-grpc-web",
      "grpc-timeout",
      "authorization",
    ]) {
      assert(allowed.includes(name), name);
    }
    assert.match(response.headers.get("access-control-allow-methods") ?? "", /POST/);
  });

  it("is not, for a foreign origin", async () => {
    assert.equal((await preflight("https://evil.example")).status, 403);
  });
});
