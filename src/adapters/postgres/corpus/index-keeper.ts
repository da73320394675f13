import type pg from "pg";
import { after, type CallOff, type Clock } from "../../../core/clock.ts";
import type { Log } from "../../../core/log.ts";
import { chunksTable, comparison } from "./vectors.ts";

/** Below this an exact search takes a few milliseconds, and an index would only cost. */
const INDEXED_FROM_CHUNKS = 2_000;
/** Loading first and building after takes a sixth of the time: so long nothing may have been written. */
const QUIET_MS = 3_000;
/** Building an index over millions of chunks takes long. */
const BUILD_TIMEOUT_MS = 6 * 3_600_000;
/** "sluidx" as a number, the first of the two keys of the advisory locks under which only one process builds an index. */
const LOCK_KEY = 0x6c_7569;

export interface IndexKeeperPorts {
  readonly pool: Promise<pg.Pool>;
  readonly log: Log;
  readonly clock: Clock;
}

/** Builds the vector indexes of generations that have grown large, once writes have been quiet, one after the other. */
export class IndexKeeper {
  readonly #ports: IndexKeeperPorts;
  #callOff: CallOff = () => {};
  #building: Promise<void> = Promise.resolve();
  #isClosed = false;
  #drop: () => void = () => {};

  constructor(ports: IndexKeeperPorts) {
    this.#ports = ports;
    // What a process that was killed left to do.
    ports.pool.then(
      () => this.touched(),
      () => {},
    );
  }

  /** Something was written. */
  touched(): void {
    this.#callOff();
    if (this.#isClosed) return;
    this.#callOff = after(this.#ports.clock, QUIET_MS, () => void this.buildAll());
  }

  /** Resolves when every generation that needs an index has one, or cannot have it now. Never rejects. */
  buildAll(): Promise<void> {
    this.#building = this.#building.then(async () => {
      if (this.#isClosed) return;
      try {
        const pool = await this.#ports.pool;
        const { rows } = await pool.query<Generation>(
          "SELECT generation_id, dimension FROM generations WHERE NOT is_indexed ORDER BY generation_id",
        );
        for (const generation of rows) if (!this.#isClosed) await this.#build(pool, generation);
      } catch (error) {
        // Tried again after the next write, or the next start; until then searches are exact.
        this.#ports.log.warn("corpus_index_failed", { error });
      }
    });
    return this.#building;
  }

  /** Gives up an index that is being built. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#callOff();
    this.#drop();
    await this.#building;
  }

  async #build(pool: pg.Pool, { generation_id: id, dimension }: Generation): Promise<void> {
    const { type, operators } = comparison(dimension);
    const table = chunksTable(id);
    if (operators === undefined) return;
    const { rows } = await pool.query<{ is_large: boolean }>(
      `SELECT count(*) >= ${INDEXED_FROM_CHUNKS} AS is_large FROM (SELECT FROM ${table} LIMIT ${INDEXED_FROM_CHUNKS}) AS first_ones`,
    );
    if (!rows[0]?.is_large) return;
    const client = await pool.connect();
    client.on("error", () => {});
    const { promise: dropped, resolve } = Promise.withResolvers<void>();
    this.#drop = resolve;
    const isEmbedded = pool.options.max === 1;
    const built = this.#buildWith(client, { id, table, name: `${table}_hnsw`, type, operators, isEmbedded });
    try {
      // A service that stops does not wait for hours: what was begun is found by the next one.
      await Promise.race([built, dropped]);
    } finally {
      built.catch(() => {});
      // Closing the connection ends what is open in it: the lock, the settings, the build.
      client.release(true);
    }
  }

  async #buildWith(
    client: pg.PoolClient,
    index: { id: string; table: string; name: string; type: string; operators: string; isEmbedded: boolean },
  ): Promise<void> {
    const { id, table, name, type, operators, isEmbedded } = index;
    const startedMs = this.#ports.clock.monotonicMs();
    const { rows } = await client.query<{ taken: boolean }>("SELECT pg_try_advisory_lock($1, $2::integer) AS taken", [
      LOCK_KEY,
      Number(BigInt(id) % 2_147_483_647n),
    ]);
    if (!rows[0]?.taken) return;
    await client.query(`SET statement_timeout = ${BUILD_TIMEOUT_MS}`);
    // A build that was broken off leaves an index that serves nobody.
    const { rows: left } = await client.query<{ indisvalid: boolean }>(
      "SELECT i.indisvalid FROM pg_index i WHERE i.indexrelid = to_regclass($1)",
      [name],
    );
    if (left[0]?.indisvalid === false) await client.query(`DROP INDEX ${name}`);
    // The embedded database has one session: there is nobody to be held up.
    const concurrently = isEmbedded ? "" : "CONCURRENTLY ";
    await client.query(
      untimed(
        `CREATE INDEX ${concurrently}IF NOT EXISTS ${name} ON ${table} USING hnsw ((embedding::${type}) ${operators})`,
      ),
    );
    await client.query(untimed(`ANALYZE ${table}`));
    await client.query("UPDATE generations SET is_indexed = true WHERE generation_id = $1", [id]);
    const buildMs = Math.round(this.#ports.clock.monotonicMs() - startedMs);
    this.#ports.log.info("corpus_index_built", { generation: id, build_ms: buildMs });
  }
}

interface Generation {
  readonly generation_id: string;
  readonly dimension: number;
}

/** A query with a limit of its own instead of the pool's; the types of `pg` do not know that it can have one. */
function untimed(text: string): pg.QueryConfig & { query_timeout: number } {
  return { text, query_timeout: BUILD_TIMEOUT_MS };
}
