import assert from "node:assert/strict";
import { systemClock } from "../../src/core/clock.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { newCallId } from "../../src/rpc/call/call-id.ts";
import { capTimerHeaders, requestedTimeoutMs } from "../../src/rpc/call/timeout.ts";

const grpc = (value: string) => requestedTimeoutMs(new Headers({ "grpc-timeout": value }));
const connect = (value: string) => requestedTimeoutMs(new Headers({ "connect-timeout-ms": value }));

describe("the requested timeout", () => {
  it("is undefined where none was asked for", () => {
    assert.equal(requestedTimeoutMs(new Headers()), undefined);
  });

  it("reads every unit of gRPC, and the milliseconds of Connect", () => {
    const read = ["2H", "2M", "2S", "2m", "2u", "2n"].map(grpc);
    assert.deepEqual(read, [7_200_000, 120_000, 2000, 2, 0.002, 0.000002]);
    assert.equal(grpc("99999999H"), 99_999_999 * 3_600_000);
    assert.equal(grpc("0S"), 0);
    assert.equal(connect("1500"), 1500);
  });

  for (const value of ["", "5", "S", "-1S", "1.5S", "123456789S", "5s", "5 S", "5SS"]) {
    it(`refuses grpc-timeout ${JSON.stringify(value)}`, () => {
      assert.throws(
        () => grpc(value),
        (error) => error instanceof SluiceError && JSON.stringify(error.failure).includes("grpc-timeout"),
      );
    });
  }

  for (const value of ["x", "-1", "1.5", "12345678901"]) {
    it(`refuses connect-timeout-ms ${value}`, () => assert.throws(() => connect(value), SluiceError));
  }
});

describe("the cap on the transport's own timer", () => {
  const capped = (name: string, value: string) => {
    const header = new Headers({ [name]: value });
    capTimerHeaders(header);
    return header.get(name);
  };

  it("cuts what a timer cannot hold, and leaves all else alone", () => {
    assert.equal(capped("grpc-timeout", "99999999H"), "2147483S");
    assert.equal(capped("connect-timeout-ms", "9999999999"), "2147483647");
    assert.equal(capped("grpc-timeout", "2147483S"), "2147483S");
    assert.equal(capped("connect-timeout-ms", "2147483647"), "2147483647");
    assert.equal(capped("grpc-timeout", "nonsense"), "nonsense");
    assert.equal(capped("connect-timeout-ms", "nonsense"), "nonsense");
  });
});

describe("a call id", () => {
  it("is a UUID of version 7 that begins with the time", () => {
    const nowMs = Date.UTC(2026, 0, 1);
    const id = newCallId({ ...systemClock, nowMs: () => nowMs });
    assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16), nowMs);
  });

  it("is never given twice in one millisecond", () => {
    const clock = { ...systemClock, nowMs: () => 0 };
    assert.equal(new Set(Array.from({ length: 1000 }, () => newCallId(clock))).size, 1000);
  });
});
