import { type PutDocumentsResponse, PutStatus } from "../../../gen/sluice/v1/corpus_service_pb.ts";
import type { FoundFile, Skipped } from "./walk.ts";

/** What an ingest has done so far. */
export class Tally {
  created = 0;
  updated = 0;
  unchanged = 0;
  chunks = 0;
  tokens = 0n;
  isEstimated = false;
  /** Undefined where a price is unknown. */
  costNanoUsd: bigint | undefined = 0n;
  readonly failed: { readonly path: string; readonly why: string }[] = [];
  readonly skipped: Skipped;
  /** Files and bytes that are dealt with, whatever became of them. */
  doneFiles = 0;
  doneBytes = 0;

  constructor(skipped: Skipped) {
    this.skipped = new Map(skipped);
  }

  put({ results, usage, costNanoUsd }: PutDocumentsResponse, files: readonly FoundFile[]): void {
    const sizes = new Map(files.map(({ id, bytes }) => [id, bytes]));
    for (const { documentId, status, chunkCount } of results) {
      if (status === PutStatus.CREATED) this.created += 1;
      else if (status === PutStatus.UPDATED) this.updated += 1;
      else this.unchanged += 1;
      if (status !== PutStatus.UNCHANGED) this.chunks += chunkCount;
      this.#done(sizes.get(documentId) ?? 0);
    }
    this.tokens += usage?.promptTokens ?? 0n;
    this.isEstimated ||= usage?.estimated ?? false;
    const isKnown = this.costNanoUsd !== undefined && costNanoUsd !== undefined;
    this.costNanoUsd = isKnown ? (this.costNanoUsd ?? 0n) + costNanoUsd : undefined;
  }

  fail({ path, bytes }: FoundFile, why: string): void {
    this.failed.push({ path, why });
    this.#done(bytes);
  }

  binary({ bytes }: FoundFile): void {
    this.skipped.set("binary", (this.skipped.get("binary") ?? 0) + 1);
    this.#done(bytes);
  }

  #done(bytes: number): void {
    this.doneFiles += 1;
    this.doneBytes += bytes;
  }
}
