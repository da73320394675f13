import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

describe("TCP proxy of the tests", () => {
  const echo = createServer((socket) => socket.on("error", () => {}).pipe(socket));
  const sockets: Socket[] = [];
  let proxy: TcpProxy;

  before(async () => {
    await new Promise<void>((resolve) => echo.listen(0, "127.0.0.1", resolve));
  });
  after(() => new Promise((resolve) => echo.close(resolve)));
  beforeEach(async () => {
    const address = echo.address();
    assert.ok(address && typeof address === "object");
    proxy = await startTcpProxy(address.port);
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await proxy.close();
    await proxy.close();
  });

  async function client() {
    const socket = connect(proxy.port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    await once(socket, "connect");
    let received = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      received += text;
    });
    const saw = async (text: string) => {
      while (received !== text) await once(socket, "data");
    };
    return { socket, saw, received: () => received };
  }

  it("passes on bytes and ends, however many", async () => {
    const { socket, saw } = await client();
    const text = "0123456789abcdef".repeat(300_000);
    socket.end(text);
    await saw(text);
    await once(socket, "close");
    assert.deepEqual(proxy.connections(), { open: 0, total: 1 });
  });

  it("delays in order, and again not", async () => {
    const { socket, saw } = await client();
    proxy.delay(40);
    const startMs = performance.now();
    socket.write("a");
    await sleep(5);
    socket.write("b");
    await saw("ab");
    assert.ok(performance.now() - startMs >= 79, "both ways are delayed");
    proxy.delay(0);
    socket.write("c");
    await saw("abc");
  });

  it("stalls what is open and what comes, and resumes without a loss", async () => {
    const before = await client();
    before.socket.write("a");
    await before.saw("a");
    proxy.stall();
    before.socket.write("b");
    const during = await client();
    during.socket.write("c");
    await sleep(50);
    assert.deepEqual([before.received(), during.received()], ["a", ""]);
    assert.deepEqual(proxy.connections(), { open: 2, total: 2 });
    proxy.resume();
    await Promise.all([before.saw("ab"), during.saw("c")]);
  });

  it("cuts with a reset and takes new connections", async () => {
    const { socket } = await client();
    socket.write("a");
    await once(socket, "data");
    const failed = once(socket, "error");
    proxy.cut();
    assert.equal((await failed)[0].code, "ECONNRESET");
    const { socket: again, saw } = await client();
    again.write("b");
    await saw("b");
  });

  it("refuses new connections, leaves the open ones, and accepts on the same port", async () => {
    const { socket, saw } = await client();
    proxy.refuse();
    await assert.rejects(client, { code: "ECONNREFUSED" });
    socket.write("a");
    await saw("a");
    await proxy.accept();
    const second = await client();
    second.socket.write("b");
    await second.saw("b");
    assert.deepEqual(proxy.connections(), { open: 2, total: 2 });
  });

  it("resets clients of a server that is not there", async () => {
    const nobody = await startTcpProxy(1);
    try {
      const socket = connect(nobody.port, "127.0.0.1");
      sockets.push(socket);
      const [error] = await once(socket, "error");
      assert.equal(error.code, "ECONNRESET");
    } finally {
      await nobody.close();
    }
  });
});
