import { type Attempt, AttemptCauseSchema } from "../../gen/sluice/v1/attempt_pb.ts";
import { ErrorReason, ErrorReasonSchema } from "../../gen/sluice/v1/error_reason_pb.ts";
import { formatNanoUsd } from "../core/money.ts";
import { enumName, enumWords } from "./enum-name.ts";

/** One line for each attempt: its number, model, cause, how it ended, and the time it took. */
export function attemptLines(attempts: readonly Attempt[]): string[] {
  return attempts.map(({ number, model, cause, errorReason, httpStatus, waitMs, latencyMs }) => {
    const outcome = errorReason === ErrorReason.UNSPECIFIED ? "answered" : enumName(ErrorReasonSchema, errorReason);
    const parts = [
      `${model} (${enumWords(AttemptCauseSchema, cause)})`,
      outcome + (httpStatus === 0 ? "" : ` with HTTP ${httpStatus}`),
      `${latencyMs} ms`,
      ...(waitMs > 0n ? [`after a wait of ${waitMs} ms`] : []),
    ];
    return `  attempt ${number}: ${parts.join(", ")}`;
  });
}

/** The tokens and the price of all attempts together. */
export function spentText(attempts: readonly Attempt[]): string {
  const sum = (of: (attempt: Attempt) => bigint | undefined) =>
    attempts.reduce((total, attempt) => total + (of(attempt) ?? 0n), 0n);
  const tokens = `${sum(({ usage }) => usage?.promptTokens)} prompt + ${sum(({ usage }) => usage?.completionTokens)} completion tokens`;
  const isPriced = attempts.every(({ costNanoUsd }) => costNanoUsd !== undefined);
  return `${tokens}, ${isPriced ? formatNanoUsd(sum(({ costNanoUsd }) => costNanoUsd)) : "cost unknown"}`;
}
