import type { CompletionInput } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { Call } from "../core/call.ts";
import { SluiceError } from "../core/failure.ts";
import type { IdempotentCalls, IdempotentTurn, Outcome } from "../core/idempotency.ts";
import { requestHash } from "./idempotency/request-hash.ts";

/**
 * What an earlier call with the same idempotency key came to, once it is over; or the turn, where this call is the one
 * whose outcome counts. Whoever has the turn keeps its outcome or releases it. Undefined for an input without a key.
 * @param input a valid one.
 * @throws SluiceError IDEMPOTENCY_CONFLICT, STORE_UNAVAILABLE; the reason of the call's signal.
 */
export async function beginOnce(
  ports: { readonly idempotency: IdempotentCalls },
  call: Call,
  input: CompletionInput,
): Promise<IdempotentTurn | Outcome | undefined> {
  const key = input.idempotencyKey;
  if (key === "") return undefined;
  const { tenant } = call.caller;
  return ports.idempotency.begin(
    { tenant, key, requestHash: requestHash(tenant, input), callId: call.id },
    call.signal,
  );
}

/**
 * The failure as an outcome to keep: where the model was paid and a repetition would only pay it again for the same.
 * Undefined for all others, after which a repetition may do better.
 */
export function outcomeOf(error: unknown): Outcome | undefined {
  if (!(error instanceof SluiceError)) return undefined;
  const { failure } = error;
  switch (failure.reason) {
    case "PARSE_FAILURE":
    case "SEMANTIC_FAILURE":
    case "CONTENT_FILTERED":
      return { kind: "failure", failure };
    default:
      return undefined;
  }
}
