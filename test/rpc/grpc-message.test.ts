import assert from "node:assert/strict";
import { encodeGrpcMessage, withReadableMessage } from "../../src/rpc/server/grpc-message.ts";

describe("a gRPC message", () => {
  it("keeps printable ASCII, and encodes percent signs and the rest", () => {
    const message = "wrong; fix a, b: 100 % – naïve\n";
    const encoded = encodeGrpcMessage(message);
    assert.equal(encoded, "wrong; fix a, b: 100 %25 %E2%80%93 na%C3%AFve%0A");
    assert.equal(decodeURIComponent(encoded), message);
  });

  it("is respelled once the body is done, and at once where there is none", async () => {
    const spelled = encodeURIComponent("fix it, please");
    const trailer = new Headers();
    async function* body() {
      yield Uint8Array.of(1);
      trailer.set("grpc-message", spelled);
    }
    const streamed = withReadableMessage({ status: 200, body: body(), trailer });
    for await (const _chunk of streamed.body ?? []);
    assert.equal(trailer.get("grpc-message"), "fix it, please");
    const plain = new Headers({ "grpc-message": spelled });
    withReadableMessage({ status: 200, trailer: plain });
    assert.equal(plain.get("grpc-message"), "fix it, please");
  });
});
