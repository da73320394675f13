/** A thread that reads documents, one at a time. It keeps nothing, so that it can be ended at any moment. */
import { parentPort, workerData } from "node:worker_threads";
import { UnreadableDocumentError } from "../../core/documents.ts";
import { packDocument } from "./packed-document.ts";
import { readDocument } from "./read-document.ts";
import type { FromWorker, ToWorker, WorkerStart } from "./worker-messages.ts";

if (!parentPort) throw new Error("this module is the entry of a worker thread");
const port = parentPort;
const { chunking }: WorkerStart = workerData;

// No document is reason enough to print something, or to fetch something.
for (const method of ["log", "info", "warn", "error", "debug", "trace"] as const) console[method] = () => {};
globalThis.fetch = () => Promise.reject(new Error("documents are read without a network"));

port.on("message", (content: ToWorker) => {
  // An error in here is unhandled on purpose: it ends the thread, and the main thread is told so.
  void read(content);
});
say({ kind: "ready" });

async function read(content: ToWorker): Promise<void> {
  try {
    const document = packDocument(await readDocument(content, chunking));
    say({ kind: "read", document });
  } catch (error) {
    if (!(error instanceof UnreadableDocumentError)) throw error;
    say({ kind: "unreadable", reason: error.reason, message: error.message });
  }
}

function say(message: FromWorker): void {
  port.postMessage(message);
}
