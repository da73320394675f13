import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { closeServers, startTestServer } from "./support/test-server.ts";

describe("a connection whose caller leaves in the middle of a message that was refused", () => {
  afterEach(closeServers);

  it("is not kept, so that the server can drain", async () => {
    const server = await startTestServer({ limits: { messageBytes: 100_000 } });
    for (let i = 0; i < 3; i += 1) {
      const session = connect(server.url);
      session.on("error", () => {});
      const stream = session.request(
        {
          ":path": "/sluice.v1.PipelineService/Complete",
          ":method": "POST",
          "content-type": "application/grpc",
          te: "trailers",
        },
        { endStream: false },
      );
      stream.on("error", () => {});
      stream.resume();
      const message = Buffer.alloc(5 + 100_000);
      message.writeUInt32BE(9_000_000, 1);
      stream.write(message);
      await once(stream, "close");
      session.destroy();
    }
    assert.deepEqual(await server.drain(10_000), { clean: true });
  });
});
