import assert from "node:assert/strict";
import { createBreaker, FAILURES_TO_OPEN, OPEN_MS } from "../../../src/adapters/redis-cache/breaker.ts";
import { fakeClock } from "../../support/clock.ts";

describe("the breaker of the Redis cache", () => {
  it("opens after failures in a row, lets one try after a while, and closes on success", () => {
    const clock = fakeClock();
    const changes: boolean[] = [];
    const breaker = createBreaker(clock, (open) => changes.push(open));
    for (let i = 0; i < FAILURES_TO_OPEN; i++) {
      assert.deepEqual([breaker.isOpen(), breaker.wouldAllow(), breaker.allows()], [false, true, true]);
      breaker.failed();
    }
    assert.deepEqual([breaker.isOpen(), breaker.wouldAllow(), breaker.allows()], [true, false, false]);
    clock.advance(OPEN_MS);
    assert.deepEqual([breaker.wouldAllow(), breaker.wouldAllow()], [true, true]);
    assert.deepEqual([breaker.allows(), breaker.allows(), breaker.isOpen()], [true, false, true]);
    breaker.failed();
    assert.equal(breaker.allows(), false);
    clock.advance(OPEN_MS);
    assert.equal(breaker.allows(), true);
    breaker.succeeded();
    assert.deepEqual([breaker.allows(), breaker.allows(), breaker.isOpen()], [true, true, false]);
    assert.deepEqual(changes, [true, false]);
  });

  it("stays closed while failures are not in a row", () => {
    const breaker = createBreaker(fakeClock(), () => assert.fail("it must not open"));
    for (let i = 0; i < 100; i++) {
      breaker.failed();
      breaker.succeeded();
    }
    assert.equal(breaker.allows(), true);
  });
});
