import { printable } from "../terminal.ts";
import { durationText } from "../time-text.ts";
import { grouped, moneyText } from "../usage-money.ts";
import type { Removal } from "./removal.ts";
import type { Tally } from "./tally.ts";

/** How an ingest ended. */
export interface Ending {
  readonly folder: string;
  readonly collection: string;
  readonly dryRun: boolean;
  readonly isStopped: boolean;
  readonly removal: Removal;
  readonly removed: number;
  /** Whether what vanished was, or had it been there, would have been removed. */
  readonly mayRemove: boolean;
  readonly elapsedMs: number;
}

/** The lines at the end. What failed is listed elsewhere. */
export function summaryText(tally: Tally, ending: Ending): string {
  const { folder, collection, dryRun, isStopped, elapsedMs } = ending;
  const { created, updated, unchanged, failed, chunks, tokens, isEstimated, costNanoUsd } = tally;
  const removed = dryRun ? ending.removal.ids.length : ending.removed;
  const counts = { created, updated, unchanged, removed, failed: failed.length, skipped: skippedFiles(tally) };
  const counted = Object.entries(counts).map(([word, count]) => `${grouped(BigInt(count))} ${word}`);
  const verb = dryRun ? "would ingest" : "ingested";
  const lines = [
    `${verb} ${folder} into ${collection}: ${counted.join(", ")}`,
    [
      `${grouped(BigInt(chunks))} chunks`,
      `${grouped(tokens)} tokens${isEstimated ? ", estimated" : ""}`,
      costNanoUsd === undefined ? "cost unknown" : moneyText(costNanoUsd),
      durationText(elapsedMs),
    ].join(" · "),
    ...skippedLines(tally),
    ...removalLines(ending),
    ...(isStopped ? ["stopped before the end; the same command goes on from here"] : []),
  ];
  return `${printable(lines.join("\n"))}\n`;
}

/** The same for programs. Costs are in nano-USD, as a text so that no digit is lost; null where unknown. */
export function summaryJson(
  tally: Tally,
  { folder, collection, dryRun, isStopped, removal, ...ending }: Ending,
): string {
  const { created, updated, unchanged, failed, chunks, tokens, isEstimated, costNanoUsd } = tally;
  const summary = {
    ...{ folder, collection, dryRun, stopped: isStopped, created, updated, unchanged },
    removed: ending.removed,
    vanished: removal.ids,
    massRemovalRefused: removal.isMassive && !ending.mayRemove,
    failed,
    skipped: Object.fromEntries(tally.skipped),
    chunks,
    tokens: String(tokens),
    tokensEstimated: isEstimated,
    costNanoUsd: costNanoUsd === undefined ? null : String(costNanoUsd),
    elapsedMs: Math.round(ending.elapsedMs),
  };
  return `${JSON.stringify(summary, null, 2)}\n`;
}

function skippedFiles({ skipped }: Tally): number {
  return [...skipped.values()].reduce((sum, count) => sum + count, 0);
}

function skippedLines({ skipped }: Tally): string[] {
  if (skipped.size === 0) return [];
  return [`skipped: ${[...skipped].map(([why, count]) => `${count} ${why}`).join(", ")}`];
}

function removalLines({ dryRun, removal, mayRemove }: Ending): string[] {
  const { ids, answerableFor, isMassive } = removal;
  if (dryRun) return ids.map((id) => `would remove ${id}${isMassive ? " (only with --allow-mass-removal)" : ""}`);
  if (mayRemove || !isMassive) return [];
  const share = `${grouped(BigInt(ids.length))} of ${grouped(BigInt(answerableFor))} documents`;
  return [`not removed: ${share} have no file any more, which is more than half; --allow-mass-removal removes them`];
}
