import assert from "node:assert/strict";
import type { Deadline } from "../../src/core/deadline.ts";
import { Flights, NobodyWaitsError } from "../../src/pipeline/flight.ts";

const deadline: Deadline = { remainingMs: () => 1000 };
const never = new AbortController().signal;

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}

describe("a flight", () => {
  it("gives a late joiner what was sent, and then goes on live", async () => {
    const flights = new Flights<number>();
    const gate = Promise.withResolvers<void>();
    const flight = flights.start("k", async function* () {
      yield 1;
      yield 2;
      await gate.promise;
      yield 3;
    });
    const early = flight.follow(deadline, never);
    assert.deepEqual(
      [await early.next(), await early.next()].map((r) => r.value),
      [1, 2],
    );
    assert.equal(flights.find("k"), flight);
    const late = collect(flight.follow(deadline, never));
    gate.resolve();
    assert.deepEqual(await late, [1, 2, 3]);
    assert.deepEqual(await collect(early), [3]);
  });

  it("does the work once for many", async () => {
    const flights = new Flights<number>();
    let runs = 0;
    const flight = flights.start("k", async function* () {
      runs += 1;
      yield runs;
    });
    const all = await Promise.all(Array.from({ length: 20 }, () => collect(flight.follow(deadline, never))));
    assert.deepEqual(
      all,
      Array.from({ length: 20 }, () => [1]),
    );
  });

  it("cannot be joined once it has ended", async () => {
    const flights = new Flights<number>();
    await collect(flights.start("k", async function* () {}).follow(deadline, never));
    assert.equal(flights.find("k"), undefined);
    assert.equal(flights.size, 0);
  });

  it("goes on for the others when the one who started it leaves", async () => {
    const flights = new Flights<number>();
    const gate = Promise.withResolvers<void>();
    const flight = flights.start("k", async function* (signal) {
      yield 1;
      await gate.promise;
      signal.throwIfAborted();
      yield 2;
    });
    const leaver = new AbortController();
    const first = flight.follow(deadline, leaver.signal);
    await first.next();
    const second = collect(flight.follow(deadline, never));
    leaver.abort(new Error("left"));
    await assert.rejects(first.next(), /left/);
    gate.resolve();
    assert.deepEqual(await second, [1, 2]);
  });

  it("is stopped, and closed to joiners, when the last one leaves", async () => {
    const flights = new Flights<number>();
    let stoppedBy: unknown;
    const flight = flights.start("k", async function* (signal) {
      yield 1;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      stoppedBy = signal.reason;
    });
    const only = flight.follow(deadline, never);
    await only.next();
    await only.return();
    assert.equal(flights.find("k"), undefined);
    await flight.ended;
    assert.ok(stoppedBy instanceof NobodyWaitsError);
  });

  it("fails for everyone with what the work threw", async () => {
    const flights = new Flights<number>();
    const flight = flights.start("k", async function* () {
      yield 1;
      throw new Error("no more");
    });
    const both = [flight.follow(deadline, never), flight.follow(deadline, never)];
    for (const events of both) await assert.rejects(collect(events), /no more/);
  });

  it("may use the longest deadline of those who wait, and knows the shortest", async () => {
    const flights = new Flights<number>();
    const seen: number[] = [];
    const gate = Promise.withResolvers<void>();
    const flight = flights.start("k", async function* (_signal, { longest, shortest }) {
      seen.push(longest.remainingMs(), shortest.remainingMs());
      yield 1;
      await gate.promise;
      seen.push(longest.remainingMs(), shortest.remainingMs());
    });
    const first = flight.follow({ remainingMs: () => 10 }, never);
    await first.next();
    const second = collect(flight.follow({ remainingMs: () => 5000 }, never));
    gate.resolve();
    await second;
    await collect(first);
    assert.deepEqual(seen, [10, 10, 5000, 10]);
  });

  describe("whose callers do not read", () => {
    /** Work that sends numbers without end, each of size 1, and says how far it came. */
    function counting(maxUnread: number) {
      const flights = new Flights<number>({ sizeOf: () => 1, maxUnread });
      const seen = { sent: 0, hasEnded: false };
      const flight = flights.start("k", async function* () {
        try {
          for (;;) {
            seen.sent += 1;
            yield seen.sent;
          }
        } finally {
          seen.hasEnded = true;
        }
      });
      return { flight, flights, seen };
    }

    /** Long enough for any work that does not wait for its callers. */
    const awhile = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

    async function take(events: AsyncGenerator<number>, count: number): Promise<number | undefined> {
      let last: number | undefined;
      for (let taken = 0; taken < count; taken += 1) last = (await events.next()).value ?? undefined;
      return last;
    }

    it("waits when it is more than its room ahead, and goes on as they read", async () => {
      const { flight, seen } = counting(10);
      const reader = flight.follow(deadline, never);
      await take(reader, 1);
      await awhile();
      assert.equal(seen.sent, 11);
      assert.equal(await take(reader, 100), 101);
      await awhile();
      // The last event is with the reader, who has not asked for the next.
      assert.equal(seen.sent, 111);
      await reader.return();
    });

    it("is not held back by the slow ones while one reads", async () => {
      const { flight, seen } = counting(10);
      const slow = flight.follow(deadline, never);
      await take(slow, 1);
      const fast = flight.follow(deadline, never);
      assert.equal(await take(fast, 500), 500);
      await fast.return();
      await awhile();
      assert.ok(seen.sent <= 511, `${seen.sent}`);
      assert.equal(await take(slow, 1000), 1001);
      await slow.return();
    });

    it("goes on for a late joiner, who gets all from the beginning", async () => {
      const { flight } = counting(10);
      const slow = flight.follow(deadline, never);
      await take(slow, 1);
      await awhile();
      const joiner = flight.follow(deadline, never);
      assert.equal(await take(joiner, 50), 50);
      await Promise.all([slow.return(), joiner.return()]);
    });

    it("is ended when the last of them leaves while it waits", async () => {
      const { flight, flights, seen } = counting(10);
      const reader = flight.follow(deadline, never);
      await take(reader, 1);
      await awhile();
      await reader.return();
      await flight.ended;
      assert.deepEqual([seen.hasEnded, flights.size], [true, 0]);
    });

    it("is ended by the last one's signal, although that one asks for nothing", async () => {
      const { flight, seen } = counting(10);
      const leaver = new AbortController();
      const reader = flight.follow(deadline, leaver.signal);
      await take(reader, 1);
      await awhile();
      leaver.abort(new Error("left"));
      await flight.ended;
      assert.equal(seen.hasEnded, true);
      // Never a quiet end of work that did not come to its own.
      await assert.rejects(collect(reader), NobodyWaitsError);
    });
  });

  it("without a key is joined by nobody", () => {
    const flights = new Flights<number>();
    flights.start(undefined, async function* () {});
    assert.equal(flights.size, 0);
  });
});
