import { isMessage } from "@bufbuild/protobuf";
import { type BudgetExceededDetail, BudgetExceededDetailSchema } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { FailureReason } from "../core/failure.ts";
import { type ConnectionError, RemoteError, type RemoteFailure } from "../rpc/client.ts";
import { detailLines } from "./failure-details.ts";
import { exitCode, printable } from "./terminal.ts";

interface Advice {
  readonly exit: number;
  readonly fix: string;
}

const { failure, usage, retryLater } = exitCode;

/** What a person can do about each reason. */
const advice: Readonly<Record<FailureReason, Advice>> = {
  INVALID_REQUEST: { exit: usage, fix: "Mend what is named above." },
  UNKNOWN_PROMPT: { exit: usage, fix: "`sluice prompts list` shows the prompts of the server." },
  UNKNOWN_MODEL: { exit: usage, fix: "`sluice models` shows the models of the server." },
  UNKNOWN_CALL: { exit: usage, fix: "`sluice usage calls` lists calls; one that just ended is there in a moment." },
  UNKNOWN_COLLECTION: { exit: usage, fix: "`sluice collections` lists the collections; `sluice ingest` makes one." },
  UNKNOWN_DOCUMENT: { exit: usage, fix: "`sluice documents <collection>` lists the documents." },
  COLLECTION_MISMATCH: {
    exit: usage,
    fix: "Leave model and language out, use another collection, or `sluice collections reembed` this one.",
  },
  UNAUTHENTICATED: {
    exit: failure,
    fix: "Put the key into an environment variable and name it with --api-key-env; `sluice key create` makes one.",
  },
  PERMISSION_DENIED: {
    exit: failure,
    fix: "What is for admins needs a key with `admin: true` (--api-key-env); where the host is refused, call the server by its own name.",
  },
  RATE_LIMITED: { exit: retryLater, fix: "Try again after the wait." },
  REQUEST_EXCEEDS_RATE_WINDOW: { exit: usage, fix: "Shorten the input; waiting does not help." },
  BUDGET_EXCEEDED: {
    exit: retryLater,
    fix: "`sluice budgets` shows what is left; wait until the budget begins anew, or ask the operator to raise it.",
  },
  QUOTA_EXHAUSTED: { exit: failure, fix: "The operator must raise the quota at the provider." },
  CONTEXT_OVERFLOW: { exit: usage, fix: "Shorten the input, or name a model with a larger window with --model." },
  PARSE_FAILURE: { exit: failure, fix: "Try a stronger model with --model, or simplify the prompt's output schema." },
  SEMANTIC_FAILURE: {
    exit: failure,
    fix: "Let a person decide; a stronger model with --model may do better, or the check is too strict.",
  },
  SLOW_READER: {
    exit: retryLater,
    fix: "Try again and read the output as it comes, or raise limits.slow_reader_ms of the server.",
  },
  CONTENT_FILTERED: { exit: failure, fix: "The same text will be refused again; change it." },
  PROVIDER_MISCONFIGURED: {
    exit: failure,
    fix: "The operator must mend the provider's settings: key, model, base_url, or what it takes (max_tokens_field, structured_output).",
  },
  MODEL_UNAVAILABLE: { exit: retryLater, fix: "Try again later, or name another model with --model." },
  MODEL_TIMEOUT: { exit: retryLater, fix: "Try again later, or name another model with --model." },
  STREAM_INTERRUPTED: { exit: retryLater, fix: "Try again; what was shown so far is void." },
  OVERLOADED: { exit: retryLater, fix: "Try again after the wait." },
  STORE_UNAVAILABLE: { exit: retryLater, fix: "Try again after the wait." },
  CACHE_MISS: { exit: failure, fix: "Call without --only-if-cached." },
  IDEMPOTENCY_CONFLICT: {
    exit: usage,
    fix: "Give each piece of work an --idempotency-key of its own; a repetition must ask the same.",
  },
  DEADLINE_EXCEEDED: {
    exit: retryLater,
    fix: "Try again with a longer --timeout, or raise defaults.deadline_ms of the server.",
  },
  CANCELLED: { exit: failure, fix: "Call again." },
  INTERNAL: { exit: failure, fix: "This is a bug: report it with the call id; the server's log has the cause." },
};

/** What to print for a failed call, and the exit code. Words of the server are shown without control characters. */
export function failureText(error: RemoteError | ConnectionError): { readonly text: string; readonly exit: number } {
  if (!(error instanceof RemoteError)) return connectionText(error);
  const { reason, message, callId, retryAfterMs, details } = error.failure;
  const known = adviceFor(error.failure);
  const lines = [
    `${reason}: ${message}`,
    ...detailLines(details),
    ...(retryAfterMs === undefined ? [] : [`wait: ${waitText(retryAfterMs)}`]),
    ...(known.fix === "" ? [] : [`fix: ${known.fix}`]),
    ...(callId === "" ? [] : [`call id: ${callId}`]),
  ];
  return { text: printable(lines.join("\n")), exit: known.exit };
}

/** The whole status of a failed call for programs: google.rpc.Status as JSON. The exit code is that of the text. */
export function failureJson({ failure }: RemoteError): { readonly text: string; readonly exit: number } {
  const json = JSON.stringify(failure.status, undefined, 2);
  // JSON leaves the control characters from U+007F on as they are, and a terminal may obey them.
  const text = json.replace(/[\x7f-\x9f]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
  return { text, exit: adviceFor(failure).exit };
}

const LONG_MS = 120_000;

/** Long waits in full minutes, never too short. */
function waitText(waitMs: number): string {
  if (waitMs < LONG_MS) return `${waitMs} ms`;
  const minutes = Math.ceil(waitMs / 60_000);
  return `${minutes < 60 ? "" : `${Math.floor(minutes / 60)} h `}${minutes % 60} min`;
}

function adviceFor({ reason, details }: RemoteFailure): Advice {
  const known: Readonly<Record<string, Advice>> = advice;
  const budget = details.find((detail) => isMessage(detail, BudgetExceededDetailSchema));
  const hopeless = budget && hopelessBudget(budget);
  if (hopeless) return hopeless;
  return Object.hasOwn(known, reason) ? (known[reason] ?? unknownReason) : unknownReason;
}

/** What to do where no waiting helps. */
function hopelessBudget({ unpricedModel, requestedNanoUsd, limitNanoUsd }: BudgetExceededDetail): Advice | undefined {
  if (unpricedModel !== "") {
    const fix = `Nothing is paid at an unknown price: the operator sets that of ${unpricedModel} with prices.override.`;
    return { exit: failure, fix: `${fix} Or name another model with --model.` };
  }
  if (requestedNanoUsd === undefined || requestedNanoUsd <= limitNanoUsd) return undefined;
  const fix = "Waiting cannot help: allow less output (max_output_tokens), or ask the operator to raise the limit.";
  return { exit: failure, fix };
}

const unknownReason: Advice = { exit: failure, fix: "" };

function connectionText({ url, fault, message }: ConnectionError): { readonly text: string; readonly exit: number } {
  const other = (scheme: string) => url.replace(/^https?:/i, `${scheme}:`);
  switch (fault) {
    case "unreachable":
      return said(`no server at ${url}; start one with \`npm start\` or name it with --server`, retryLater);
    case "broken":
      return said(
        `the connection to ${url} broke before the answer was whole; what was shown so far is void`,
        retryLater,
      );
    case "server_is_cleartext":
      return said(`the server at ${url} does not speak TLS: use --server ${other("http")}`, usage);
    case "server_has_tls":
      return said(`the server at ${url} speaks TLS: use --server ${other("https")}`, usage);
    case "untrusted_certificate":
      return said(
        `the certificate of ${url} is not trusted: ${message}\nNODE_EXTRA_CA_CERTS names a file with its authority`,
        usage,
      );
    case "message_too_large":
      return said(`the request is larger than the server at ${url} takes (its limits.message_bytes)`, usage);
    case "no_sluice":
      return said(`what answers at ${url} is no Sluice server: ${message}`, retryLater);
  }
}

function said(text: string, exit: number): { readonly text: string; readonly exit: number } {
  return { text: printable(text), exit };
}
