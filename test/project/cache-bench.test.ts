import assert from "node:assert/strict";
import type { Benchmark, Counts } from "../../bench/benchmark.ts";
import { redisStall } from "../../bench/redis-stall.ts";
import { answerTo } from "../../bench/replay/answers.ts";
import { type Feature, features } from "../../bench/replay/features.ts";
import { possible } from "../../bench/replay/possible.ts";
import { seeded, zipf } from "../../bench/replay/random.ts";
import { DAY_MS, type TrafficCall, trafficOfDay } from "../../bench/replay/traffic.ts";
import { replay } from "../../bench/replay.ts";
import { tier } from "../support/tiers.ts";

const [feature] = features;
assert.ok(feature);

describe("the traffic of the replay", () => {
  const day = trafficOfDay(12_000, 1);

  it("is the same for the same seed, and another for another", () => {
    assert.deepEqual(trafficOfDay(500, 7), trafficOfDay(500, 7));
    assert.notDeepEqual(trafficOfDay(500, 7), trafficOfDay(500, 8));
  });

  it("is a day in order, with quiet nights and busy hours", () => {
    assert.ok(day.every(({ atMs }, index) => atMs >= (day[index - 1]?.atMs ?? 0) && atMs <= DAY_MS));
    const inHour = (hour: number) => day.filter(({ atMs }) => Math.floor((atMs / DAY_MS) * 24) === hour).length;
    assert.ok(inHour(10) > 10 * inHour(3));
  });

  for (const one of features) {
    it(`asks for ${one.name} as often, as repeatedly and in the modes that it says`, () => {
      const calls = day.filter((call) => call.feature === one && call.mode !== "bypass");
      const once = calls.filter(({ question }) => question.includes("-once-"));
      assert.ok(near(calls.length / 12_000, one.share, 0.1), `${calls.length} calls`);
      assert.ok(near(once.length / calls.length, one.unique, 0.05), `${once.length} of ${calls.length} once`);
      const questions = new Set(calls.filter((call) => !once.includes(call)).map(({ question }) => question));
      assert.ok(questions.size > 1 && questions.size <= one.inputs);
    });
  }

  it("draws by Zipf's law: the first of ranks with exponent 1 twice as often as the second", () => {
    const draw = zipf(1_000, 1, seeded(3));
    const counts = new Map<number, number>();
    for (let count = 0; count < 100_000; count += 1) {
      const rank = draw();
      assert.ok(rank >= 0 && rank < 1_000);
      counts.set(rank, (counts.get(rank) ?? 0) + 1);
    }
    const [first = 0, second = 0, tenth = 0] = [0, 1, 9].map((rank) => counts.get(rank));
    assert.ok(near(first / second, 2, 0.3) && near(first / tenth, 10, 2), `${first}, ${second}, ${tenth}`);
  });
});

describe("what is possible for the replay", () => {
  const call = (atMs: number, question: string, mode: TrafficCall["mode"] = "default") => ({
    atMs,
    question,
    mode,
    feature: feature as Feature,
  });
  const cost = (question: string) => answerTo(question, feature).costNanoUsd;

  it("pays every question once for each TTL", () => {
    const calls = [call(0, "a"), call(1, "a"), call(2, "b"), call(99, "a"), call(100, "a"), call(101, "a")];
    assert.deepEqual(
      possible(calls, () => 100),
      { calls: 6, hits: 3, savedNanoUsd: 3 * cost("a"), costNanoUsd: 2 * cost("a") + cost("b") },
    );
  });

  it("lets a refresh pay and live on, and a bypass pay for nothing but itself", () => {
    const calls = [
      call(0, "a", "bypass"),
      call(1, "a"),
      call(50, "a", "refresh"),
      call(140, "a"),
      call(141, "a", "bypass"),
    ];
    assert.deepEqual(
      possible(calls, () => 100),
      { calls: 5, hits: 1, savedNanoUsd: cost("a"), costNanoUsd: 4 * cost("a") },
    );
  });
});

tier("redis", () => {
  describe("the benchmarks of the cache", function () {
    // Some processes after each other, on a machine that may be busy.
    this.timeout(60_000);

    it("replay a day: no call fails, hits are what is possible at most, and the money adds up", async () => {
      const [days, byFeature] = await counts(replay);
      assert.ok(days && byFeature);
      assert.deepEqual(
        days.rows.map(([name]) => name),
        ["with Redis", "without Redis"],
      );
      const column = (name: string) => days.rows.map((row) => Number(row[days.columns.indexOf(name)]));
      assert.deepEqual(column("failed"), [0, 0]);
      const [shared = 0, alone = 0] = column("saved / possible %");
      assert.ok(shared > alone && alone > 0, "processes that share save more");
      assert.equal(column("shared")[1], 0);
      const [costs, savings] = [column("cost ¢"), column("saved ¢")];
      const worth = costs.map((cost, row) => (cost + (savings[row] ?? 0)).toFixed(6));
      assert.equal(new Set(worth).size, 1, "what was paid and saved together is the same for the same calls");
      assert.equal(byFeature.rows.length, features.length);
    });

    it("stall Redis: no call fails, hits stay hits, and answers are shared again", async () => {
      const [stall] = await counts(redisStall);
      assert.ok(stall);
      const row = (name: string) => stall.rows.find(([first]) => first === name)?.slice(1) ?? [];
      assert.deepEqual(row("failed calls"), [0, 0, 0]);
      assert.deepEqual(row("meant as hits, and not"), [0, 0, 0]);
      assert.ok(row("memory hits").every((count) => Number(count) > 0));
      assert.ok(Number(row("look-ups in Redis without an answer")[1]) > 0, "Redis was away");
    });
  });
});

async function counts({ measure }: Benchmark): Promise<Counts[]> {
  return (await measure("quick")).map((section) => {
    assert.ok(section.kind === "counts");
    assert.ok(section.rows.every((row) => row.length === section.columns.length));
    return section;
  });
}

function near(value: number, aim: number, by: number): boolean {
  return Math.abs(value - aim) <= by;
}
