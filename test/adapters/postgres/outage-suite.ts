import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { connectPostgres } from "../../../src/adapters/postgres/connect.ts";
import { createLedgerStore } from "../../../src/adapters/postgres/ledger-store.ts";
import { migrateWhenThere } from "../../../src/adapters/postgres/migrate-when-there.ts";
import { createLedger } from "../../../src/adapters/spool/ledger.ts";
import { openSpool } from "../../../src/adapters/spool/open-spool.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { recordingLog } from "../spool/recording-log.ts";
import { attemptStarted, callFinished, endOf } from "../spool/records.ts";
import { temporaryFolder } from "../spool/temporary-folder.ts";
import { migrationsDir } from "./ledger-store-suite.ts";

/** A way to the database that can be cut, and opened again at the same address. */
class Way {
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(target: string) {
    this.#target = new URL(target);
  }

  get url(): string {
    const url = new URL(this.#target);
    url.hostname = "127.0.0.1";
    url.port = String(this.#port);
    return url.href;
  }

  async open(): Promise<void> {
    this.#server = createServer((near) => {
      const far = connect(Number(this.#target.port || 5432), this.#target.hostname);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => {
          near.destroy();
          far.destroy();
          this.#sockets.delete(socket);
        });
      }
      near.pipe(far).pipe(near);
    });
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    const address: AddressInfo | string | null = this.#server.address();
    assert.ok(address && typeof address === "object");
    this.#port = address.port;
  }

  async cut(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

export function testOutage(databaseUrl: () => string): void {
  const folder = temporaryFolder();

  it("loses no record, neither at the start nor in the middle, and the calls never notice", async function () {
    this.timeout(60_000);
    const log = recordingLog();
    const ports = { log, clock: systemClock };
    const way = new Way(databaseUrl());
    // Away at the start, at an address that is known.
    await way.open();
    await way.cut();
    const pool = connectPostgres(way.url, ports);
    const signal = new AbortController().signal;
    const store = migrateWhenThere(pool, migrationsDir, { ...ports, signal }).then(() => createLedgerStore(pool));
    const spool = await openSpool({ dir: folder.path, ...ports });
    const ledger = createLedger({ spool, store, ...ports });
    ledger.start();
    const ids: string[] = [];
    const recordCalls = async () => {
      for (let count = 0; count < 50; count += 1) {
        const start = attemptStarted({ tenant: "outage" });
        await ledger.record(start);
        await ledger.record(endOf(start));
        await ledger.record(callFinished(start));
        ids.push(start.call_id);
      }
    };
    await recordCalls();
    assert.equal(await ledger.flush(500), false);
    await way.open();
    assert.ok(await ledger.flush(20_000));
    await recordCalls();
    await way.cut();
    await recordCalls();
    assert.equal(await ledger.flush(500), false);
    await recordCalls();
    await way.open();
    assert.ok(await ledger.flush(20_000));

    const { rows } = await pool.query("SELECT call_id FROM calls WHERE tenant = 'outage' ORDER BY call_id");
    assert.deepEqual(
      rows.map((row) => row.call_id),
      ids.toSorted(),
    );
    const events = log.events().filter((event) => /^(database|ledger_store)/.test(event));
    assert.deepEqual(events, ["database_away", "database_back", "ledger_store_away", "ledger_store_back"]);
    await ledger.close();
    await pool.end();
    await way.cut();
  });

  it("that lasts until the program ends can be given up", async () => {
    const log = recordingLog();
    const pool = connectPostgres("postgres://127.0.0.1:1/none", { log });
    const stop = new AbortController();
    const migrating = migrateWhenThere(pool, migrationsDir, { log, clock: systemClock, signal: stop.signal });
    setImmediate(() => stop.abort(new Error("shutting down")));
    await assert.rejects(migrating, /shutting down/);
    await pool.end();
  });
}
