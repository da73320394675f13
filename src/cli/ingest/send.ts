import type { JsonObject } from "@bufbuild/protobuf";
import type { PutDocumentsResponse } from "../../../gen/sluice/v1/corpus_service_pb.ts";
import type { Clock } from "../../core/clock.ts";
import { ConnectionError, type CorpusClient, RemoteError } from "../../rpc/client.ts";
import { badDocuments } from "./bad-documents.ts";
import type { ReadFile } from "./batches.ts";

/** How documents are put. */
export interface PutSettings {
  readonly collection: string;
  readonly embeddingModel: string;
  readonly language: string;
  readonly dryRun: boolean;
  readonly metadata: JsonObject;
}

export interface SendPorts {
  readonly client: Pick<CorpusClient, "putDocuments">;
  readonly clock: Clock;
}

const MAX_RETRIES = 6;
/** Of a document alone whose connection broke. */
const MAX_LONE_RETRIES = 1;
const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 60_000;

/** Failures that may pass. What was embedded until then is cached by the server, so that it is not paid again. */
const passing: ReadonlySet<string> = new Set([
  ...["RATE_LIMITED", "OVERLOADED", "STORE_UNAVAILABLE", "MODEL_UNAVAILABLE", "MODEL_TIMEOUT", "DEADLINE_EXCEEDED"],
]);

/** What becomes of the documents of a batch. */
export interface SendOutcome {
  put(response: PutDocumentsResponse): void;
  failed(file: ReadFile, why: string): void;
}

/**
 * Puts a batch. One with bad documents is sent again without them, one that is larger than the server takes in halves, and
 * one that failed for a reason that may pass after a wait, a few times.
 * @throws ConnectionError, RemoteError; the signal's reason.
 */
export async function sendBatch(
  ports: SendPorts,
  settings: PutSettings,
  batch: readonly ReadFile[],
  outcome: SendOutcome,
  signal: AbortSignal,
): Promise<void> {
  let files = batch;
  for (let retries = 0; files.length > 0; ) {
    signal.throwIfAborted();
    try {
      outcome.put(await ports.client.putDocuments(requestOf(settings, files), signal));
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (mayBeTooLarge(error) && (files.length > 1 || retries >= MAX_LONE_RETRIES)) {
        for (const half of halvesOf(files, outcome)) await sendBatch(ports, settings, half, outcome, signal);
        return;
      }
      if (mayBeTooLarge(error)) {
        await ports.clock.sleep(FIRST_WAIT_MS, signal);
        retries += 1;
        continue;
      }
      if (!(error instanceof RemoteError)) throw error;
      const bad = badDocuments(error.failure);
      if (bad.size === 0) {
        if (retries >= MAX_RETRIES) throw error;
        await ports.clock.sleep(waitAfter(error, retries), signal);
        retries += 1;
      }
      for (const [index, why] of bad) {
        const file = files[index];
        if (file) outcome.failed(file, why);
      }
      files = files.filter((_, index) => !bad.has(index));
    }
  }
}

/** A server that refuses a message before it is read hangs up, and its answer may be lost by that. */
function mayBeTooLarge(error: unknown): boolean {
  return error instanceof ConnectionError && (error.fault === "message_too_large" || error.fault === "broken");
}

/** @throws the error itself, where waiting does not help. */
function waitAfter(error: RemoteError, retries: number): number {
  const { reason, retryAfterMs } = error.failure;
  const waitMs = retryAfterMs ?? FIRST_WAIT_MS * 2 ** retries;
  if (!passing.has(reason) || waitMs > MAX_WAIT_MS) throw error;
  return waitMs;
}

/** A single document cannot be halved. */
function halvesOf(files: readonly ReadFile[], { failed }: SendOutcome): readonly (readonly ReadFile[])[] {
  const middle = Math.ceil(files.length / 2);
  if (middle < files.length) return [files.slice(0, middle), files.slice(middle)];
  for (const file of files)
    failed(file, "cannot be sent: the server takes no message so large (its limits.message_bytes)");
  return [];
}

function requestOf({ metadata, ...settings }: PutSettings, files: readonly ReadFile[]) {
  const hasMetadata = Object.keys(metadata).length > 0;
  return {
    ...settings,
    documents: files.map(({ id, content }) => ({ id, content, ...(hasMetadata && { metadata }) })),
  };
}
