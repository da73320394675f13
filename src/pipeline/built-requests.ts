import { create } from "@bufbuild/protobuf";
import { CompletionSchema, type Truncation } from "../../gen/sluice/v1/completion_pb.ts";
import type { BuiltRequest, CacheTags, SharedCache } from "../core/cache.ts";
import type { BuiltContext, DraftedContext } from "./build-context.ts";
import type { CachePolicy, CachePorts } from "./cache.ts";
import { truncation } from "./completion.ts";
import { shownOf, withoutTexts } from "./retrieve/shown.ts";

/*
 * What requests were built to, by their request keys: who knows it answers a repeated question without retrieving and
 * counting. Memory knows it of all requests. Of those that retrieve it is told to other processes as well, since for them
 * it spares a search; there it is kept like an answer, as a completion that holds nothing but the content key in place of
 * a text, what was dropped, and what was retrieved. No content key is a request key.
 */

/** What a request was fitted to, for those who ask the same. */
export function builtRequest(contentKey: string, { fitted, retrieval }: BuiltContext): BuiltRequest {
  const shown = shownOf(retrieval, fitted.chunks);
  return { contentKey, dropped: fitted.dropped, ...(shown && { retrieval: withoutTexts(shown) }) };
}

/** Undefined where nobody has built it, or nobody can tell. Only of requests that retrieve the shared layer is asked. */
export function recall(
  { memory, shared }: CachePorts,
  requestKey: string,
  { draft }: DraftedContext,
): Promise<BuiltRequest | undefined> | BuiltRequest | undefined {
  const near = memory.requests.get(requestKey);
  return near || !draft.retrieval || !shared ? near : recallShared(shared, requestKey);
}

/** Nobody waits for it, and it never fails. */
export function remember(
  { memory, shared }: CachePorts,
  requestKey: string,
  built: BuiltRequest,
  { tags, policy }: { readonly tags: CacheTags; readonly policy: CachePolicy },
): void {
  // What had to do without its retrieval would be built otherwise another time.
  if (built.retrieval?.failedWith) return;
  // Whoever recalls it has paid for nothing.
  const retrieval = built.retrieval && { ...built.retrieval, costNanoUsd: 0n };
  memory.requests.set(requestKey, { ...built, ...(retrieval && { retrieval }) });
  if (!shared || !retrieval || !policy.mayWrite) return;
  const { contentKey: text, dropped } = built;
  const completion = create(CompletionSchema, { text, truncation: truncation(dropped), retrieval });
  void shared.set(requestKey, { completion, tags }, policy.ttlMs);
}

async function recallShared(shared: SharedCache, requestKey: string): Promise<BuiltRequest | undefined> {
  const look = await shared.look(requestKey);
  if (look.kind !== "hit") return undefined;
  const { text: contentKey, truncation: dropped, retrieval } = look.entry.completion;
  if (!/^[0-9a-f]{64}$/.test(contentKey) || !retrieval) return undefined;
  return { contentKey, retrieval, ...(dropped && { dropped: droppedOf(dropped) }) };
}

function droppedOf({ tokensBefore, tokensAfter, droppedChunkIds: chunkIds, droppedTurns: turns }: Truncation) {
  return { tokensBefore: Number(tokensBefore), tokensAfter: Number(tokensAfter), chunkIds, turns };
}
