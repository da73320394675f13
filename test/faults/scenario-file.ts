import { readFileSync } from "node:fs";
import type { ModelStep, ScriptedStep } from "../support/scripted-upstream.ts";
import { assertionFields } from "./assertions.ts";
import type { FaultScenario, ScenarioCalls, ScenarioRequest, ScenarioService } from "./scenario.ts";

const bundled = new URL("../fixtures/upstream/fault_scenarios.json", import.meta.url);

/** Names another file of the same format, so that scenarios which are not ours can be played too. */
const file = process.env.SLUICE_FAULT_SCENARIOS;

/** The scenarios of the file. A key that is not known fails at once: what is not understood must not count as kept. */
export function loadScenarios(): readonly FaultScenario[] {
  const { scenarios, defaults } = JSON.parse(readFileSync(file ?? bundled, "utf8"));
  return scenarios.map((raw: RawScenario) => scenarioOf(raw, defaults));
}

/** What scenarios leave out. */
export function scenarioDefaults(): ScenarioDefaults {
  return JSON.parse(readFileSync(bundled, "utf8")).defaults;
}

interface ScenarioDefaults {
  readonly service: ScenarioService;
  readonly request: ScenarioRequest;
}

/** A scenario as it is written; what else it may hold is checked when it is read. */
export interface RawScenario
  extends Pick<FaultScenario, "id" | "level" | "title" | "upstream" | "expect">,
    Partial<ScenarioCalls> {
  readonly after_script?: string;
  readonly service?: object;
  readonly request?: object;
}

const callKeys = ["sequential_rpcs", "concurrency", "cancel_after_ms"];
const scenarioKeys = [
  ...["id", "provider", "category", "level", "title", "upstream", "after_script", "expect", "request", "service"],
  ...["why", ...callKeys],
];
const requestKeys = [
  ...["instruction", "instruction_repeat", "context_chunks", "schema", "schema_text", "semantic_rule"],
  ...["deadline_ms", "pause_before_send_ms", ...callKeys],
];
const expectKeys = ["outcome", "outcome_any", "value", "calls", "gaps_ms", "total_ms", "assert", "why"];
const responseKeys = [
  ...["status", "headers", "body", "body_text", "body_base64", "sse", "infinite_body", "delay_ms", "drip_headers"],
  ...["drip_body", "content_length", "send_bytes", "end", "keep_alive", "close_after_ms", "header_padding_bytes"],
  ...["eol", "split"],
];
const stepKeys = [...responseKeys, "action", "for_ms", "bytes_base64"];
const eventKeys = ["data", "event", "id", "nospace", "comment", "repeat", "every_ms", "raw", "raw_base64"];

/** @param defaults those of the file. */
export function scenarioOf(raw: RawScenario, defaults: ScenarioDefaults): FaultScenario {
  const { id, level, title, upstream, expect } = raw;
  onlyKeys(raw, scenarioKeys, id);
  if (raw.after_script !== undefined && raw.after_script !== "repeat_last") {
    throw new Error(`${id}: after_script ${String(raw.after_script)} is not known`);
  }
  const service = { ...defaults.service, ...raw.service };
  onlyKeys(service, Object.keys(defaults.service), `${id}: service`);
  const request = { ...defaults.request, ...raw.request };
  onlyKeys(request, requestKeys, `${id}: request`);
  onlyKeys(expect, expectKeys, `${id}: expect`);
  for (const gap of expect.gaps_ms ?? []) onlyKeys(gap, ["after_call", "min", "max"], `${id}: gaps_ms`);
  for (const bounds of [expect.calls, expect.total_ms]) onlyKeys(bounds ?? {}, ["min", "max"], `${id}: expect`);
  for (const assertion of expect.assert ?? []) {
    onlyKeys(assertion, ["check", ...assertionFields(assertion.check)], `${id}: ${assertion.check}`);
  }
  for (const step of upstream) checkStep(step, id);
  return { id, level, title, service, request, calls: callsOf({ ...raw, ...raw.request }), upstream, expect };
}

function callsOf(given: object): ScenarioCalls {
  const { sequential_rpcs = 1, concurrency = 1, ...rest }: Partial<ScenarioCalls> = given;
  const { cancel_after_ms } = rest;
  return { sequential_rpcs, concurrency, ...(cancel_after_ms !== undefined && { cancel_after_ms }) };
}

function checkStep(step: ScriptedStep | ModelStep, id: string): void {
  if ("when" in step) {
    onlyKeys(step, ["when", "respond", "respond_seq"], `${id}: upstream`);
    onlyKeys(step.when, ["model"], `${id}: when`);
    for (const inner of [...(step.respond ? [step.respond] : []), ...(step.respond_seq ?? [])]) checkStep(inner, id);
    return;
  }
  onlyKeys(step, stepKeys, `${id}: upstream`);
  if ("sse" in step) for (const event of step.sse ?? []) onlyKeys(event, eventKeys, `${id}: sse`);
}

function onlyKeys(value: object, known: readonly string[], where: string): void {
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`${where}: unknown field ${unknown.join(", ")}`);
}
