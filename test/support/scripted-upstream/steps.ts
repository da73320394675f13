/** One event of a scripted stream. `data` that is no string is sent as JSON. */
export type ScriptedEvent =
  | {
      readonly data: unknown;
      readonly event?: string;
      readonly id?: string;
      readonly nospace?: boolean;
      readonly repeat?: number;
      readonly every_ms?: number;
    }
  | { readonly comment: string; readonly repeat?: number; readonly every_ms?: number }
  /** Bytes as they are, outside the step's `eol`. */
  | { readonly raw: string; readonly repeat?: number; readonly every_ms?: number }
  | { readonly raw_base64: string; readonly repeat?: number; readonly every_ms?: number };

/** A number of bytes, then a pause, until all are sent. */
export interface Drip {
  readonly bytes: number;
  readonly every_ms: number;
}

/**
 * What the upstream does with one request. The names are those of the fault scenarios, so that a scenario is played as
 * it is written. Exactly one of `body` (sent as JSON), `body_text`, `body_base64`, `sse` and `infinite_body` is used.
 */
export interface ScriptedResponse {
  readonly action?: undefined;
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly body_text?: string;
  readonly body_base64?: string;
  readonly sse?: readonly ScriptedEvent[];
  readonly infinite_body?: { readonly chunk: string; readonly chunk_repeat: number; readonly stop_after_bytes: number };
  /** Before the status line. */
  readonly delay_ms?: number;
  readonly drip_headers?: Drip;
  readonly drip_body?: Drip;
  /** What the header says instead of the true length. */
  readonly content_length?: number;
  /** The body ends after this many bytes, whatever the header says. */
  readonly send_bytes?: number;
  /** How it ends: the HTTP message ends cleanly (default), FIN inside the message, RST, or nothing more comes. */
  readonly end?: "close" | "fin" | "reset" | "hang";
  readonly keep_alive?: boolean;
  /** Closes a kept connection after this time. */
  readonly close_after_ms?: number;
  readonly header_padding_bytes?: number;
  /** Line end of events. Default "\n". */
  readonly eol?: string;
  /** Bytes per write; "all" for a single one. Default: one write per event. */
  readonly split?: number | "all";
}

/** Faults below HTTP. */
export interface ScriptedFault {
  readonly action:
    | "hang"
    | "refuse"
    | "reset_on_accept"
    | "reset_after_request"
    | "close_after_request"
    | "raw"
    | "tls_mismatch";
  readonly delay_ms?: number;
  /** For `refuse`: how long; for ever where absent. */
  readonly for_ms?: number;
  /** For `raw`: what is written before the connection ends. */
  readonly bytes_base64?: string;
}

export type ScriptedStep = ScriptedResponse | ScriptedFault;

/** A step for one model, instead of for one place in the order. */
export interface ModelStep {
  readonly when: { readonly model: string };
  readonly respond?: ScriptedStep;
  readonly respond_seq?: readonly ScriptedStep[];
}

/** A script as the fault scenarios write it. After the last step, the last step is repeated. */
export interface Scenario {
  readonly upstream: readonly (ScriptedStep | ModelStep)[];
  /** So many requests get the same step before the next one is used. Default 1. */
  readonly concurrency?: number;
}

/** A request as it arrived. Times are `performance.now()`. */
export interface ReceivedCall {
  /** Request line and header lines. */
  readonly head: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** `undefined` where the body is no JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
  readonly startedAt: number;
  /** When the last byte of the response was written. */
  readonly endedAt?: number;
  /** When the connection was closed, by either side. */
  readonly closedAt?: number;
  /** Resolves when the connection is closed. */
  readonly closed: Promise<void>;
}

/** What answers: a scenario, one step or a list, or a function of the call and its number, which counts from 0. */
export type Script =
  | Scenario
  | ScriptedStep
  | readonly ScriptedStep[]
  | ((call: ReceivedCall, index: number) => ScriptedStep);
