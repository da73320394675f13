import { CacheStatusSchema } from "../../gen/sluice/v1/completion_pb.ts";
import { RestartCauseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { nameOf } from "./enum-name.ts";
import { faultClasses } from "./fault-classes.ts";
import type { Observation } from "./observation.ts";

/** What must be met at least once, by group. */
const expected = {
  fault: faultClasses,
  stage: ["validate", "build_context", "cache_lookup", "call_model", "parse"],
  cache: ["MISS", "MEMORY_HIT", "JOINED", "BYPASSED"],
  cause: ["FIRST", "RETRY", "FALLBACK", "TRUNCATED", "OUTPUT_LIMIT", "JSON_MODE", "CORRECTION", "ESCALATION"],
  restart: ["RETRY", "FALLBACK", "REPAIR", "OUTPUT_LIMIT", "CORRECTION", "ESCALATION", "TRUNCATED"],
  gate: ["circuit_opened", "circuit_half_open", "circuit_closed", "cool_down_started"],
  outcome: [
    "answered",
    "stopped reading",
    "INVALID_REQUEST",
    "UNKNOWN_MODEL",
    "RATE_LIMITED",
    "REQUEST_EXCEEDS_RATE_WINDOW",
    "QUOTA_EXHAUSTED",
    "CONTEXT_OVERFLOW",
    "PARSE_FAILURE",
    "SEMANTIC_FAILURE",
    "CONTENT_FILTERED",
    "PROVIDER_MISCONFIGURED",
    "MODEL_UNAVAILABLE",
    "MODEL_TIMEOUT",
    "STREAM_INTERRUPTED",
    "OVERLOADED",
    "CACHE_MISS",
    "DEADLINE_EXCEEDED",
    "CANCELLED",
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Group = keyof typeof expected;

const groups = Object.keys(expected).filter((name): name is Group => Object.hasOwn(expected, name));

/** Counts what the runs met, so that none of it is believed to be tested without having happened. */
export class Tally {
  readonly #counts = new Map<string, number>();
  #runs = 0;

  add(run: Observation): void {
    this.#runs += 1;
    for (const { outcome } of run.attempts) this.#count("fault", outcome.fault);
    for (const { record } of run.records) {
      if (record.type === "attempt_started") this.#count("cause", record.cause.toUpperCase());
      if (record.type === "call_finished") this.#count("stage", Object.keys(record.stage_ms).at(-1) ?? "none");
    }
    for (const { event } of run.lines) if (isOneOf(expected.gate, event)) this.#count("gate", event);
    for (const { completion, failure, hasStopped, events } of run.callers) {
      if (completion) this.#count("cache", nameOf(CacheStatusSchema, completion.cacheStatus));
      this.#count("outcome", failure?.reason ?? (hasStopped ? "stopped reading" : "answered"));
      for (const { event } of events) {
        if (event.case === "restarted") this.#count("restart", nameOf(RestartCauseSchema, event.value.cause));
      }
    }
  }

  /** What no run met. */
  missing(): string[] {
    return groups.flatMap((group) =>
      expected[group].filter((name) => !this.#counts.has(`${group} ${name}`)).map((name) => `${group} ${name}`),
    );
  }

  /** Everything with its count, a line for each group. */
  table(): string {
    const lines = groups.map((group) => {
      const found = [...this.#counts].filter(([key]) => key.startsWith(`${group} `));
      const sorted = found.sort(([, a], [, b]) => b - a);
      return `    ${group}: ${sorted.map(([key, count]) => `${key.slice(group.length + 1)} ${count}`).join(", ")}`;
    });
    return [`    ${this.#runs} runs`, ...lines].join("\n");
  }

  #count(group: Group, name: string): void {
    const key = `${group} ${name}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
