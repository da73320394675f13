import type { EmbeddingAnswer, VectorCache } from "../../core/embedding.ts";
import { UpstreamError } from "../../core/model.ts";
import type { PriceBook } from "../../core/money.ts";
import type { Pass } from "../model-gates.ts";
import type { Portion } from "./portion.ts";
import { type SharePlan, Shares } from "./shares.ts";
import type { TextWork } from "./work.ts";

export interface RequestPorts {
  readonly prices: PriceBook;
  readonly vectors: VectorCache;
}

/** How a request went. */
export type RequestOutcome =
  /** Everybody has their vectors. */
  | { readonly kind: "answered" }
  /** Nobody who waits may pay for it. */
  | { readonly kind: "unsent" }
  | {
      readonly kind: "failed";
      readonly error: UpstreamError;
      readonly callId: string;
      readonly attempt: number;
      /** Those that were sent. */
      readonly works: readonly TextWork[];
      /** How many calls paid. */
      readonly calls: number;
    };

/**
 * One request for what is wanted of a portion, charged to the calls whose texts are in it. Texts whose payer may not pay,
 * and that others wait for, are given back. Rejects with the signal's reason, or a bug.
 */
export async function requestVectors(
  ports: RequestPorts,
  portion: Portion,
  plan: Omit<SharePlan, "signal"> & { readonly pass: Pass; readonly giveBack: (works: readonly TextWork[]) => void },
): Promise<RequestOutcome> {
  const { target, pass } = plan;
  const { signal } = portion;
  const { shares, paid, unpaid } = await Shares.open(ports.prices, portion.works, { ...plan, signal });
  portion.release(unpaid);
  plan.giveBack(unpaid);
  // Whose caller left while the start was recorded is not sent, unless somebody else waits for it.
  const works = paid.filter(({ isWanted }) => isWanted);
  await shares.keepOnly(works);
  if (works.length === 0) return { kind: "unsent" };
  const { callId, attempt } = shares.first ?? { callId: works[0]?.payer?.job.call.id ?? "", attempt: 1 };
  try {
    const answer = await target.endpoint.embed(
      {
        callId,
        attempt,
        providerModel: target.providerModel,
        texts: works.map(({ asked }) => asked.text),
        dimension: target.dimension,
        sendsDimension: target.sendsDimension,
        timeouts: target.timeouts,
      },
      signal,
    );
    pass.end(undefined);
    await shares.answered(answer.promptTokens);
    handOut(ports.vectors, works, answer);
    return { kind: "answered" };
  } catch (error) {
    if (!(error instanceof UpstreamError)) {
      await shares.abandoned(signal.aborted ? "CANCELLED" : "INTERNAL");
      throw error;
    }
    pass.end(error.fields);
    await shares.failed(error);
    return { kind: "failed", error, callId, attempt, works, calls: shares.calls };
  }
}

/** Stores the vectors, and ends everybody's wait. */
function handOut(vectors: VectorCache, works: readonly TextWork[], answer: EmbeddingAnswer): void {
  const { vectors: made, servedModel } = answer;
  if (made.length !== works.length) throw new Error(`${works.length} texts have ${made.length} vectors`);
  const answers = works.map((work, index) => ({ work, vector: made[index] ?? new Float32Array() }));
  const toStore = answers.filter(({ work }) => work.asked.ttlMs !== undefined);
  for (const [ttlMs, entries] of Map.groupBy(toStore, ({ work }) => work.asked.ttlMs ?? 0)) {
    vectors.set(
      entries.map(({ work, vector }) => ({ key: work.asked.key, vector })),
      ttlMs,
    );
  }
  for (const { work, vector } of answers) work.answered({ vector, ...(servedModel !== undefined && { servedModel }) });
}
