/**
 * The thread of the embedded database. PGlite stops its thread for as long as a statement runs, so it never runs in the
 * main one. It is spoken to in the Postgres wire protocol; each answer is whole before the next request is looked at.
 */
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { type FromWorker, ownBytes, type ToWorker, type WorkerStart } from "./worker-messages.ts";

if (!parentPort) throw new Error("this module is the entry of a worker thread");
const port = parentPort;
const { dir }: WorkerStart = workerData;

/** Messages of the wire protocol: a type, the length with itself, the content. */
const SYNC = Uint8Array.of(0x53, 0, 0, 0, 4);
const ERROR_RESPONSE = "E".charCodeAt(0);

const options = { extensions: { vector } };

const database = await openDatabase(dir);
let session: number | undefined;
let work: Promise<void> = Promise.resolve();

port.on("message", (message: ToWorker) => {
  // An error in here is unhandled on purpose: it ends the thread, and the main thread is told so.
  work = work.then(() => handle(message));
});
say({ kind: "ready" });

/**
 * A new folder is filled beside its place and moved there when it is complete, since a half-filled one, left by a process
 * that was killed meanwhile, cannot be told from a damaged one.
 */
async function openDatabase(dataDir: string): Promise<PGlite> {
  if (!existsSync(dataDir) || readdirSync(dataDir).length === 0) {
    const unfinished = `${dataDir}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    const created = await PGlite.create(unfinished, options);
    await created.close();
    rmSync(dataDir, { recursive: true, force: true });
    renameSync(unfinished, dataDir);
  }
  if (!existsSync(join(dataDir, "PG_VERSION"))) throw new Error("the folder holds files, but no database");
  return PGlite.create(dataDir, options);
}

async function handle(message: ToWorker): Promise<void> {
  switch (message.kind) {
    case "request":
      if (session !== message.session) await beginSession(message.session);
      return answer(message.session, await database.execProtocolRaw(message.bytes));
    case "end":
      if (session === message.session) await endSession();
      return;
    case "close":
      await database.close();
      port.close();
  }
}

async function beginSession(next: number): Promise<void> {
  if (session !== undefined) await endSession();
  session = next;
}

/**
 * The database has one session for its whole life; here it becomes as good as new for the next connection. Some errors,
 * such as a full disk at the wrong moment, leave it in a state in which it refuses everything, this too: then the thread
 * ends, and the next connection starts another.
 */
async function endSession(): Promise<void> {
  session = undefined;
  // A request that was broken off may have left the protocol in the middle of a series, which only Sync ends.
  for (const message of [SYNC, simpleQuery("ROLLBACK"), simpleQuery("DISCARD ALL")]) {
    if (hasError(await database.execProtocolRaw(message)))
      throw new Error("the database does not recover from an error");
  }
}

/** Whether an answer, which is a series of whole messages, holds an ErrorResponse. */
function hasError(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < bytes.length; offset += 1 + view.getUint32(offset + 1)) {
    if (bytes[offset] === ERROR_RESPONSE) return true;
  }
  return false;
}

function answer(to: number, bytes: Uint8Array): void {
  const own = ownBytes(bytes);
  say({ kind: "answer", session: to, bytes: own }, [own.buffer]);
}

function say(message: FromWorker, moved: ArrayBuffer[] = []): void {
  port.postMessage(message, moved);
}

function simpleQuery(sql: string): Uint8Array {
  const message = Buffer.alloc(1 + 4 + sql.length + 1);
  message.write("Q", 0, "latin1");
  message.writeUInt32BE(4 + sql.length + 1, 1);
  message.write(sql, 5, "latin1");
  return message;
}
