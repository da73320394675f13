import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { request as httpsRequest } from "node:https";
import { connect as connectTls } from "node:tls";
import { credentials, status } from "@grpc/grpc-js";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { GrpcClient } from "./support/grpc-client.ts";
import { closeRawConnections, rawConnection } from "./support/raw-socket.ts";
import { closeServers, startTestServer } from "./support/test-server.ts";

const read = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
const cert = read("localhost.cert.pem");
const key = read("localhost.key.pem");

describe("TLS", () => {
  afterEach(async () => {
    closeRawConnections();
    await closeServers();
  });

  it("serves HTTP/1.1 and HTTP/2 on the same port, by ALPN", async () => {
    const server = await startTestServer({ tls: { cert, key } });
    assert.match(server.url, /^https:/);
    const http1 = await new Promise<number | undefined>((resolve, reject) => {
      httpsRequest(`${server.url}/nope`, { ca: cert, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
    assert.equal(http1, 404);
    const session = connectHttp2(server.url, { ca: cert });
    await new Promise((resolve) => session.once("connect", resolve));
    assert.equal(session.alpnProtocol, "h2");
    session.destroy();
    const client = new GrpcClient(server, {}, credentials.createSsl(cert));
    assert.equal((await client.call(PipelineService.method.complete, {})).code, status.OK);
    client.close();
  });

  it("serves a client that says nothing of ALPN over HTTP/1.1, and refuses one that speaks another protocol", async () => {
    const server = await startTestServer({ tls: { cert, key } });
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connectTls({ port: server.port, host: "127.0.0.1", ca: cert }, () => {
        socket.write("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
      });
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk;
      });
      socket.on("close", () => resolve(text)).on("error", reject);
    });
    assert.match(answer, /^HTTP\/1\.1 404/);
    await assert.rejects(
      new Promise((resolve, reject) => {
        connectTls({ port: server.port, host: "127.0.0.1", ca: cert, ALPNProtocols: ["spdy/3"] }, () =>
          resolve(undefined),
        ).on("error", reject);
      }),
    );
  });

  it("closes connections that do not shake hands in time, and those that speak cleartext", async () => {
    const server = await startTestServer({ tls: { cert, key }, limits: { prefaceTimeoutMs: 60 } });
    const silent = await rawConnection(server);
    await silent.closed;
    const cleartext = await rawConnection(server);
    cleartext.socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    assert.doesNotMatch(await cleartext.closed, /HTTP\/1\.1 [24]0/);
  });

  it("asks for a client certificate of the given authority where there is one", async () => {
    const server = await startTestServer({ tls: { cert, key, clientCa: cert } });
    const known = new GrpcClient(server, {}, credentials.createSsl(cert, key, cert));
    assert.equal((await known.call(PipelineService.method.complete, {})).code, status.OK);
    known.close();
    const unknown = new GrpcClient(server, {}, credentials.createSsl(cert));
    assert.equal(
      (await unknown.call(PipelineService.method.complete, {}, { deadline: Date.now() + 2000 })).code,
      status.UNAVAILABLE,
    );
    unknown.close();
  });

  it("drains like cleartext", async () => {
    const server = await startTestServer({ tls: { cert, key } });
    const client = new GrpcClient(server, {}, credentials.createSsl(cert));
    await client.call(PipelineService.method.complete, {});
    assert.deepEqual(await server.drain(3000), { clean: true });
    client.close();
  });
});
