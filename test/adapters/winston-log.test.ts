import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { MAX_LINE_CHARACTERS } from "../../src/adapters/winston-log/line.ts";
import { MAX_WAITING_BYTES } from "../../src/adapters/winston-log/line-transport.ts";
import { createWinstonLog } from "../../src/adapters/winston-log.ts";
import type { LogLevel } from "../../src/core/log.ts";

function collect(level?: LogLevel) {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  const log = createWinstonLog({ stream, ...(level && { level }) });
  return {
    log,
    async lines(): Promise<Record<string, unknown>[]> {
      await log.flush();
      const text = chunks.join("");
      return text
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    },
    text: () => chunks.join(""),
  };
}

describe("winston log", () => {
  it("writes one JSON object per line: time, level, event, fields", async () => {
    const { log, lines } = collect();
    log.info("llm_call", { model: "fast", tokens: 3 });
    const [line] = await lines();
    assert.deepEqual(Object.keys(line ?? {}), ["time", "level", "event", "model", "tokens"]);
    assert.deepEqual({ ...line, time: "" }, { time: "", level: "info", event: "llm_call", model: "fast", tokens: 3 });
    assert.match(String(line?.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it("writes nothing below its level", async () => {
    const { log, lines } = collect("warn");
    assert.equal(log.isEnabled("info"), false);
    assert.equal(log.isEnabled("error"), true);
    log.debug("a");
    log.info("b");
    log.warn("c");
    log.error("d");
    assert.deepEqual(
      (await lines()).map((line) => line.event),
      ["c", "d"],
    );
  });

  it("lets no field take the place of its own keys", async () => {
    const { log, lines } = collect();
    log.info("real", { event: "forged", level: "error", time: "never", truncated: 1, message: "kept" });
    const [line] = await lines();
    assert.equal(line?.event, "real");
    assert.equal(line?.level, "info");
    assert.equal(line?.field_event, "forged");
    assert.equal(line?.field_time, "never");
    assert.equal(line?.message, "kept");
  });

  it("writes errors with their stacks and causes, and no other properties of theirs", async () => {
    const { log, lines } = collect();
    const error = Object.assign(new Error("outer", { cause: new TypeError("inner") }), {
      code: "E_X",
      request: { key: "secret" },
    });
    log.error("failed", { error });
    const written = (await lines())[0]?.error;
    assert.ok(typeof written === "object" && written !== null && "stack" in written && "cause" in written);
    assert.deepEqual(
      { ...written, stack: "", cause: "" },
      { name: "Error", message: "outer", code: "E_X", stack: "", cause: "" },
    );
    assert.match(String(written.stack), /winston-log\.test\.ts/);
    assert.match(JSON.stringify(written.cause), /TypeError.*inner/);
  });

  it("writes any value: bigints, cycles, dates, maps, bytes, getters that throw", async () => {
    const { log, lines } = collect();
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const trap = {
      get broken() {
        throw new Error("no");
      },
    };
    log.info("odd", {
      big: 2n ** 70n,
      cycle,
      date: new Date(0),
      map: new Map([["a", 1]]),
      bytes: new Uint8Array(9),
      nan: Number.NaN,
      gone: undefined,
      call() {},
      trap,
    });
    const [line] = await lines();
    assert.deepEqual(
      { ...line, time: "" },
      {
        time: "",
        level: "info",
        event: "odd",
        big: (2n ** 70n).toString(),
        cycle: { self: "[circular]" },
        date: "1970-01-01T00:00:00.000Z",
        map: [["a", 1]],
        bytes: "[9 bytes]",
        nan: "NaN",
        trap: "[unreadable]",
      },
    );
  });

  it("stays on one line whatever a field holds", async () => {
    const { log, lines, text } = collect();
    log.info("x", { text: 'a\nb\r\n{"level":"error"}\u2028' });
    assert.equal((await lines()).length, 1);
    assert.equal(text().split("\n").length, 2);
  });

  it("bounds lines: long texts are cut, and fields are dropped before the line is too long", async () => {
    const { log, lines, text } = collect();
    log.info("long", { text: "x".repeat(1_000_000), short: 1 });
    log.info("wide", Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key${i}`, "value"])));
    log.info("deep", { deep: nested(10_000) });
    for (const line of text().split("\n")) assert.ok(line.length <= MAX_LINE_CHARACTERS);
    const [long, wide, deep] = await lines();
    assert.equal(long?.truncated, true);
    assert.equal(long?.short, 1);
    assert.deepEqual(Object.keys(wide ?? {}), ["time", "level", "event", "truncated"]);
    assert.equal(deep?.truncated, true);
  });

  it("flushes everything logged so far to a slow stream, and drops what comes after", async () => {
    const written: string[] = [];
    const stream = new Writable({
      write: (chunk, _encoding, done) =>
        void setTimeout(() => {
          written.push(String(chunk));
          done();
        }, 1),
    });
    const log = createWinstonLog({ stream });
    for (let i = 0; i < 50; i++) log.info("line", { i });
    await log.flush();
    log.info("late");
    await log.flush();
    assert.equal(written.join("").split("\n").filter(Boolean).length, 50);
  });

  it("drops lines rather than memory when nobody reads, and says how many", async () => {
    let open: () => void = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const chunks: string[] = [];
    const stream = new Writable({
      write: (chunk, _encoding, done) => {
        chunks.push(String(chunk));
        void gate.then(() => done());
      },
    });
    const log = createWinstonLog({ stream });
    const text = "x".repeat(4_000);
    for (let i = 0; i < 2_000; i++) log.info("line", { text });
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(stream.writableLength < MAX_WAITING_BYTES + 2 * MAX_LINE_CHARACTERS);
    open();
    while (stream.writableLength > 0) await new Promise((resolve) => setImmediate(resolve));
    log.info("again");
    await log.flush();
    const last: unknown = JSON.parse(chunks.join("").trimEnd().split("\n").at(-1) ?? "");
    assert.ok(typeof last === "object" && last !== null && "event" in last && "count" in last);
    assert.equal(last.event, "log_lines_dropped");
    assert.ok(Number(last.count) > 500);
  });

  it("survives a reader that goes away", async () => {
    const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error("EPIPE")) });
    const log = createWinstonLog({ stream });
    log.info("one");
    await new Promise((resolve) => setImmediate(resolve));
    log.info("two");
    await log.flush();
    assert.equal(stream.destroyed, true);
  });
});

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = { value };
  return value;
}
