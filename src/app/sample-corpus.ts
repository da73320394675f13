import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { create } from "@bufbuild/protobuf";
import { PutDocumentsRequestSchema } from "../../gen/sluice/v1/corpus_service_pb.ts";
import type { Call } from "../core/call.ts";
import type { Clock } from "../core/clock.ts";
import type { CorpusStore } from "../core/corpus.ts";
import { deadlineAfter } from "../core/deadline.ts";
import { failureOf } from "../core/failure.ts";
import type { Log } from "../core/log.ts";
import type { Pipeline } from "../core/pipeline.ts";
import { newCallId } from "../rpc/call/call-id.ts";

const HANDBOOK_DIR = fileURLToPath(new URL("../../examples/handbook", import.meta.url));
const COLLECTION = "handbook";
/** The tenant of a service that is open. */
const TENANT = "local";
const TIMEOUT_MS = 120_000;

/**
 * Puts the small handbook that ships with Sluice into the collection `handbook`, so that whoever starts the service for
 * the first time has something to ask about. Only where the tenant has no collection at all. Nobody waits for it, and
 * where it fails there is none.
 */
export async function putSampleCorpus(
  { pipeline, corpus }: { readonly pipeline: Pipeline; readonly corpus: CorpusStore },
  { log, clock }: { readonly log: Log; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  try {
    if ((await corpus.collections(TENANT, signal)).length > 0) return;
    const call: Call = {
      id: newCallId(clock),
      caller: { tenant: TENANT, keyId: "", isAdmin: false },
      method: "PutDocuments",
      deadline: deadlineAfter(clock, TIMEOUT_MS),
      signal,
    };
    const documents = await readHandbook();
    await pipeline.putDocuments(call, create(PutDocumentsRequestSchema, { collection: COLLECTION, documents }));
    log.info("sample_corpus_stored", { collection: COLLECTION, documents: documents.length });
  } catch (error) {
    if (!signal.aborted) log.warn("sample_corpus_failed", { reason: failureOf(error).reason, error });
  }
}

async function readHandbook() {
  const names = (await readdir(HANDBOOK_DIR)).filter((name) => name.endsWith(".md")).sort();
  return Promise.all(
    names.map(async (id) => ({
      id,
      content: { case: "markdown" as const, value: await readFile(join(HANDBOOK_DIR, id), "utf8") },
    })),
  );
}
