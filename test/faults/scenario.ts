import type { ModelStep, ScriptedStep } from "../support/scripted-upstream.ts";

/** How the service is set up; names are those of the scenarios. */
export interface ScenarioService {
  readonly models: readonly {
    readonly name: string;
    readonly context_tokens: number;
    readonly max_output_tokens: number;
    readonly initial_max_tokens: number;
  }[];
  readonly native_json: "json_schema" | "json_object" | "prompt" | "none" | false;
  readonly api_key: string;
  readonly max_attempts: number;
  readonly max_parse_retries: number;
  readonly attempt_timeout_ms: number;
  readonly idle_timeout_ms: number;
  readonly backoff_base_ms: number;
  readonly backoff_max_ms: number;
  readonly upstream_stream: boolean;
  readonly base_url_scheme: "http" | "https";
}

/** A text that stands `times` times in a row. */
export interface RepeatedText {
  readonly repeat: string;
  readonly times: number;
}

export interface ScenarioRequest {
  readonly instruction: string;
  /** Takes the place of `instruction`; a number repeats that. */
  readonly instruction_repeat?: RepeatedText | number;
  readonly context_chunks: readonly ({ readonly id: string; readonly score?: number } & (
    | RepeatedText
    | { readonly text: string }
  ))[];
  /** Null asks for text. */
  readonly schema: Readonly<Record<string, unknown>> | null;
  /** Takes the place of `schema`, byte for byte. */
  readonly schema_text?: string;
  readonly semantic_rule?: { readonly name: string; readonly js: string };
  readonly deadline_ms: number;
  /** Between the setting of the deadline and the sending. */
  readonly pause_before_send_ms?: number;
}

/** How many calls are made, and how. */
export interface ScenarioCalls {
  /** So many one after another. Default 1. */
  readonly sequential_rpcs: number;
  /** So many at once. Default 1. */
  readonly concurrency: number;
  /** When the caller leaves. Default: never. */
  readonly cancel_after_ms?: number;
}

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

export interface Assertion {
  readonly check: string;
  readonly [field: string]: unknown;
}

export interface Expectation {
  readonly outcome?: string;
  readonly outcome_any?: readonly string[];
  readonly value?: unknown;
  readonly calls?: Bounds;
  readonly gaps_ms?: readonly (Bounds & { readonly after_call: number })[];
  readonly total_ms?: Bounds;
  readonly assert?: readonly Assertion[];
}

/** One scenario, with the file's defaults filled in. */
export interface FaultScenario {
  readonly id: string;
  readonly level: "must" | "should";
  readonly title: string;
  readonly service: ScenarioService;
  readonly request: ScenarioRequest;
  readonly calls: ScenarioCalls;
  readonly upstream: readonly (ScriptedStep | ModelStep)[];
  readonly expect: Expectation;
}
