import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { CompletionSchema } from "../../../../gen/sluice/v1/completion_pb.ts";
import {
  ContentFilteredDetailSchema,
  ParseFailureDetailSchema,
  SemanticFailureDetailSchema,
} from "../../../../gen/sluice/v1/error_detail_pb.ts";
import type { Failure } from "../../../core/failure.ts";
import type { Outcome } from "../../../core/idempotency.ts";

/** An outcome as messages of the contract, which later versions of the program can read. */
export interface StoredOutcome {
  /** "COMPLETION", "JSON_COMPLETION" where JSON was asked for, or the reason of the failure. */
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/** Undefined for a failure that is none to keep. */
export function encodeOutcome(outcome: Outcome): StoredOutcome | undefined {
  if (outcome.kind === "completion") {
    const kind = outcome.isJson ? "JSON_COMPLETION" : "COMPLETION";
    return { kind, bytes: toBinary(CompletionSchema, outcome.completion) };
  }
  const bytes = encodeFailure(outcome.failure);
  return bytes && { kind: outcome.failure.reason, bytes };
}

function encodeFailure(failure: Failure): Uint8Array | undefined {
  switch (failure.reason) {
    case "PARSE_FAILURE": {
      const { violations, attempts, excerpt, truncated } = failure;
      const detail = { violations: [...violations], attempts: [...attempts], excerpt, truncated };
      return toBinary(ParseFailureDetailSchema, create(ParseFailureDetailSchema, detail));
    }
    case "SEMANTIC_FAILURE": {
      const { violations, attempts, excerpt } = failure;
      const detail = { violations: [...violations], attempts: [...attempts], excerpt };
      return toBinary(SemanticFailureDetailSchema, create(SemanticFailureDetailSchema, detail));
    }
    case "CONTENT_FILTERED": {
      const { side, category, model } = failure;
      return toBinary(ContentFilteredDetailSchema, create(ContentFilteredDetailSchema, { side, category, model }));
    }
    default:
      return undefined;
  }
}

/** @throws Error for what another version of the program wrote and this one does not know. */
export function decodeOutcome({ kind, bytes }: StoredOutcome): Outcome {
  const isJson = kind === "JSON_COMPLETION";
  if (isJson || kind === "COMPLETION")
    return { kind: "completion", completion: fromBinary(CompletionSchema, bytes), isJson };
  return { kind: "failure", failure: decodeFailure(kind, bytes) };
}

function decodeFailure(reason: string, bytes: Uint8Array): Failure {
  switch (reason) {
    case "PARSE_FAILURE": {
      const { violations, attempts, excerpt, truncated } = fromBinary(ParseFailureDetailSchema, bytes);
      const plain = violations.map(({ path, rule, expected, got }) => ({ path, rule, expected, got }));
      return { reason, violations: plain, attempts, excerpt, truncated };
    }
    case "SEMANTIC_FAILURE": {
      const { violations, attempts, excerpt } = fromBinary(SemanticFailureDetailSchema, bytes);
      return { reason, violations: violations.map(({ rule, message }) => ({ rule, message })), attempts, excerpt };
    }
    case "CONTENT_FILTERED": {
      const { side, category, model } = fromBinary(ContentFilteredDetailSchema, bytes);
      return { reason, side, category, model };
    }
    default:
      throw new Error(`an outcome of the unknown kind ${reason}`);
  }
}
