import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Benchmark, Section } from "../../bench/benchmark.ts";
import { browserStreams } from "../../bench/browser-streams.ts";
import { openStreams } from "../../bench/open-streams.ts";
import type { Report } from "../../bench/report.ts";
import { unary } from "../../bench/unary.ts";
import { END_FLAG, EnvelopeCounter, envelope } from "../../bench/wire/envelope.ts";
import { callAtPace } from "../../bench/wire/paces.ts";
import { floorHttp1, floorHttp2, underLoad, withServers } from "../../bench/wire/servers.ts";
import { run } from "../support/child.ts";

const settings = { port: 0, kind: "unary", connections: 1, messages: 1 } as const;

describe("the load of the wire benchmarks", () => {
  it("counts messages however their bytes are cut, and knows whether the body may end", () => {
    const bytes = Buffer.concat([
      envelope(Buffer.from("a")),
      envelope(Buffer.alloc(0)),
      envelope(Buffer.from("{}"), END_FLAG),
    ]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const counter = new EnvelopeCounter();
      counter.take(bytes, 0, cut);
      assert.equal(counter.isBetween, [0, 6, 11, bytes.length].includes(cut), `cut at ${cut}`);
      counter.take(bytes, cut, bytes.length);
      assert.deepEqual([counter.messages, counter.end, counter.isBetween], [2, "{}", true], `cut at ${cut}`);
    }
  });

  it("measures from when calls were meant to start, so that a server that stops for a while shows in all of them", async () => {
    const perSecond = 1000;
    const waiting: (() => void)[] = [];
    const load = await callAtPace(
      (onEnd) => {
        waiting.push(() => onEnd(1));
        if (waiting.length === 100) for (const answer of waiting) answer();
      },
      { ...settings, pace: { kind: "at a rate", perSecond, durationMs: 100 } },
    );
    assert.equal(load.calls, 100);
    // Call 20 is the first that counts; call n waits for the hundredth, which starts 99 - n ms later at the earliest.
    assert.ok(load.p50 >= 39 && load.p99 >= 78, JSON.stringify(load));
  });

  it("keeps as many calls in flight as it was told", async () => {
    let open = 0;
    const seen = new Set<number>();
    await callAtPace(
      (onEnd) => {
        open += 1;
        seen.add(open);
        setImmediate(() => {
          open -= 1;
          onEnd(1);
        });
      },
      { ...settings, pace: { kind: "in flight", calls: 3, durationMs: 20 } },
    );
    assert.deepEqual([...seen], [1, 2, 3]);
  });

  for (const kind of [floorHttp2, floorHttp1]) {
    it(`fails by an answer that is not the expected one: ${kind.name}`, async () => {
      await withServers([kind], { deltas: 3, perSecond: 0 }, async ([server]) => {
        assert.ok(server);
        const pace = { kind: "at once", calls: 1 } as const;
        const load = (messages: number) => underLoad(server, { kind: "stream", connections: 1, messages, pace });
        assert.equal((await load(5)).messages, 5);
        await assert.rejects(load(6), /an answer of 5 messages instead of 6/);
      });
    });
  }
});

describe("the benchmarks of the wire", () => {
  async function measured({ measure }: Benchmark): Promise<Section[]> {
    const sections = await measure("quick");
    for (const section of sections) {
      assert.ok(section.kind === "ratios" && section.results.has(section.floor), section.title);
      for (const [name, result] of section.results) {
        for (const metric of section.ratiosOf) assert.ok((result[metric]?.median ?? 0) > 0, `${name}: ${metric}`);
      }
    }
    return sections;
  }

  it("measure unary calls in throughput, and their latency at rates that each server can serve", async () => {
    const [throughput, ...latencies] = await measured(unary);
    assert.ok(throughput?.kind === "ratios");
    assert.equal(throughput.results.size, 4);
    assert.equal(latencies.length, 3);
    // Some twenty processes after each other, on a machine that may be busy.
  }).timeout(60_000);

  it("measure many open streams", async () => {
    await measured(openStreams);
  });

  it("measure many open streams to browsers", async () => {
    await measured(browserStreams);
  });

  it("are run by their names, and write versions, machine, settings and ratios to a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-bench-"));
    try {
      const file = join(folder, "results.json");
      const ran = await run(process.execPath, ["bench/run.ts", "stream", "--quick", "--json", file]);
      assert.equal(ran.code, 0, ran.stderr);
      const report: Report = JSON.parse(await readFile(file, "utf8"));
      assert.deepEqual(Object.keys(report.benchmarks), ["stream"]);
      assert.equal(report.versions.node, process.versions.node);
      assert.ok(report.machine.cores > 0 && Date.parse(report.date) > 0);
      const [section] = report.benchmarks.stream?.sections ?? [];
      const ratio = section?.ratios?.["sluice, wire: connect"]?.["CPU µs/message"];
      assert.ok(ratio && ratio.min > 0 && ratio.max < Infinity, ran.stdout);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("refuse a name that is none, and an earlier file that is not there", async () => {
    const unknown = await run(process.execPath, ["bench/run.ts", "stram"]);
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /no benchmark stram; there are unary, stream,/);
    const missing = await run(process.execPath, ["bench/run.ts", "stream", "--compare", "does-not-exist.json"]);
    assert.notEqual(missing.code, 0);
    assert.match(missing.stderr, /does-not-exist\.json/);
  });
});
