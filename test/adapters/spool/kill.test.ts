import assert from "node:assert/strict";
import { createLedger } from "../../../src/adapters/spool/ledger.ts";
import { openSpool } from "../../../src/adapters/spool/open-spool.ts";
import { OUTCOME_UNKNOWN } from "../../../src/adapters/spool/record.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { silentLog } from "../../../src/core/log.ts";
import { CALLERS, recordAndKill } from "./kill.ts";
import { MemoryStore } from "./memory-store.ts";
import { listing, temporaryFolder } from "./temporary-folder.ts";

describe("a process killed under load", function () {
  this.timeout(120_000);
  const folder = temporaryFolder();

  it("loses no acknowledged record, has none counted twice, and is charged what was under way", async () => {
    const acknowledged = { start: new Set<string>(), end: new Set<string>(), call: new Set<string>() };
    for (let round = 0; round < 6; round += 1) {
      await recordAndKill(acknowledged, { dir: folder.path, lines: 50 + round * 700 });
    }
    const store = new MemoryStore();
    const spool = await openSpool({ dir: folder.path, clock: systemClock, log: silentLog });
    const ledger = createLedger({ spool, store, clock: systemClock, log: silentLog });
    ledger.start();
    assert.ok(await ledger.flush(60_000));
    await ledger.close();

    assert.equal(store.keys().length, store.written.length, "nothing is stored twice");
    const keys = new Set(store.keys());
    for (const id of acknowledged.start) assert.ok(keys.has(`attempt_started ${id}/1`), `start of ${id}`);
    for (const id of acknowledged.call) assert.ok(keys.has(`call_finished ${id}`), `call ${id}`);
    const reasons = new Map(
      store.written.flatMap((record) =>
        record.type === "attempt_finished" ? [[record.call_id, record.error_reason] as const] : [],
      ),
    );
    for (const id of acknowledged.end) assert.equal(reasons.get(id), "", `end of ${id}`);
    const started = store.written.filter((record) => record.type === "attempt_started");
    for (const { call_id } of started) assert.ok(reasons.has(call_id), `every attempt has an end: ${call_id}`);
    assert.ok(acknowledged.call.size > 1000);
    assert.ok([...reasons.values()].filter((reason) => reason === OUTCOME_UNKNOWN).length <= 6 * CALLERS);
    const left = (await listing(folder.path)).filter((name) => !name.startsWith("dead-letter"));
    assert.deepEqual(left, []);
  });
});
