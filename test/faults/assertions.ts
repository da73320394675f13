import assert from "node:assert/strict";
import { bodyText, maxTokensOf, modelOf, type Observation, promptBytes, receivedCall } from "./observation.ts";
import type { Assertion } from "./scenario.ts";
import { instructionText } from "./scenario-input.ts";

/** One kind of `assert`: the fields that it may have, and what it demands. */
interface Check {
  readonly fields: readonly string[];
  judge(seen: Observation, assertion: Assertion): void;
}

/** Names under which a scenario may give the one bound of a check. */
const BOUND = ["value", "max", "ms", "mb", "bytes"];
/** Names under which it may give the one text or the texts. */
const TEXTS = ["text", "texts", "values", "all", "any"];

const checks: Readonly<Record<string, Check>> = {
  prompt_smaller: { fields: ["call", "than", "or_model"], judge: promptSmaller },
  if_call_then_prompt_smaller: {
    fields: ["call", "than", "or_model"],
    judge(seen, assertion) {
      if (seen.received.length >= number(assertion, ["call"])) promptSmaller(seen, assertion);
    },
  },
  prompt_ratio: {
    fields: ["call", "than", "min", "max"],
    judge(seen, assertion) {
      const ratio = promptBytes(call(seen, assertion)) / promptBytes(receivedCall(seen, number(assertion, ["than"])));
      within(ratio, assertion, "the ratio of the prompts");
    },
  },
  prompts_strictly_decreasing: {
    fields: [],
    judge({ received }) {
      const sizes = received.map(promptBytes);
      const isFalling = sizes.every((size, index) => index === 0 || size < Number(sizes[index - 1]));
      assert.ok(isFalling, `the prompts have ${sizes.join(", ")} bytes`);
    },
  },
  prompt_bytes_at_most: {
    fields: ["call", ...BOUND],
    judge: (seen, assertion) => atMost(promptBytes(call(seen, assertion)), assertion, "bytes of the messages"),
  },
  instruction_and_schema_kept: { fields: ["call"], judge: instructionAndSchemaKept },
  max_tokens_larger: {
    fields: ["call", "than"],
    judge(seen, assertion) {
      const [now, before] = [call(seen, assertion), receivedCall(seen, number(assertion, ["than"]))].map(maxTokensOf);
      assert.ok(now !== undefined && before !== undefined && now > before, `max_tokens ${now} after ${before}`);
    },
  },
  max_tokens_at_most: {
    fields: ["call", ...BOUND],
    judge: (seen, assertion) => atMost(maxTokensOf(call(seen, assertion)), assertion, "max_tokens"),
  },
  native_json_schema_dropped: {
    fields: ["call"],
    judge(seen, assertion) {
      const format = call(seen, assertion).json?.response_format;
      const type = typeof format === "object" && format !== null && "type" in format ? format.type : undefined;
      assert.notEqual(type, "json_schema", "response_format");
    },
  },
  body_contains_all: {
    fields: ["call", ...TEXTS],
    judge(seen, assertion) {
      const body = bodyText(call(seen, assertion));
      for (const text of texts(assertion)) assert.ok(body.includes(text), `the body lacks ${text}`);
    },
  },
  body_contains_any: {
    fields: ["call", ...TEXTS],
    judge(seen, assertion) {
      const body = bodyText(call(seen, assertion));
      assert.ok(
        texts(assertion).some((text) => body.includes(text)),
        `the body holds none of ${texts(assertion)}`,
      );
    },
  },
  body_lacks: {
    fields: ["call", ...TEXTS],
    judge(seen, assertion) {
      const body = bodyText(call(seen, assertion));
      for (const text of texts(assertion)) assert.ok(!body.includes(text), `the body holds ${text}`);
    },
  },
  detail_contains: {
    fields: TEXTS,
    judge({ results }, assertion) {
      const said = results.map(({ failure }) => failure?.detailText ?? "").join("\n");
      for (const text of texts(assertion)) assert.ok(said.includes(text), `${text} is in no detail: ${said}`);
    },
  },
  detail_lacks: {
    fields: TEXTS,
    judge({ results }, assertion) {
      const said = results.map(({ failure }) => failure?.detailText ?? "").join("\n");
      for (const text of texts(assertion)) assert.ok(!said.includes(text), `${text} is in a detail: ${said}`);
    },
  },
  retry_hint_ms: {
    fields: ["min", "max"],
    judge({ results }, assertion) {
      for (const { failure } of results) within(failure?.retryAfterMs, assertion, "RetryInfo");
    },
  },
  no_secret_leak: {
    fields: TEXTS,
    judge({ results }, assertion) {
      const said = results.map(({ failure, metadataText }) => `${failure?.detailText}\n${metadataText}`).join("\n");
      for (const text of texts(assertion)) assert.ok(!said.includes(text), `${text} reached the caller`);
    },
  },
  never_same_model_twice: {
    fields: [],
    judge({ received }) {
      const models = received.map(modelOf);
      assert.equal(new Set(models).size, models.length, `asked ${models.join(", ")}`);
    },
  },
  last_call_model: {
    fields: ["is"],
    judge: (seen, { is }) => assert.equal(modelOf(receivedCall(seen, -1)), is),
  },
  some_call_model: {
    fields: ["is"],
    judge: ({ received }, { is }) => assert.ok(received.map(modelOf).includes(String(is)), `nobody asked ${is}`),
  },
  upstream_closed_within_ms: { fields: ["call", ...BOUND], judge: upstreamClosed },
  second_calls_spread_ms: {
    fields: ["min", "max"],
    judge({ received, concurrency }, assertion) {
      const second = received.slice(concurrency, 2 * concurrency).map(({ startedAt }) => startedAt);
      assert.equal(second.length, concurrency, "second calls");
      within(Math.max(...second) - Math.min(...second), assertion, "the spread of the second calls");
    },
  },
  usage_sum: {
    fields: ["prompt_tokens", "completion_tokens"],
    judge({ results }, { prompt_tokens, completion_tokens }) {
      const sum = (pick: (usage: { promptTokens: bigint; completionTokens: bigint }) => bigint) =>
        results.reduce((total, { completion }) => total + (completion?.usage ? Number(pick(completion.usage)) : 0), 0);
      if (prompt_tokens !== undefined)
        assert.equal(
          sum(({ promptTokens }) => promptTokens),
          prompt_tokens,
        );
      if (completion_tokens !== undefined)
        assert.equal(
          sum((usage) => usage.completionTokens),
          completion_tokens,
        );
    },
  },
  second_origin_gets_no_request: {
    fields: [],
    judge: ({ strayRequests }) => assert.deepEqual(strayRequests, []),
  },
  second_origin_gets_no_authorization: {
    fields: [],
    judge({ strayRequests }) {
      for (const head of strayRequests) assert.doesNotMatch(head, /^(?:authorization|api-key|x-api-key):/im);
    },
  },
  rss_growth_mb_at_most: {
    fields: BOUND,
    judge: ({ load }, assertion) => atMost(load && load.rssGrowthBytes / 1e6, assertion, "growth in MB"),
  },
  event_loop_block_ms_at_most: {
    fields: BOUND,
    judge: ({ load }, assertion) => atMost(load?.longestBlockMs, assertion, "longest block in ms"),
  },
};

/** The names of all checks. */
export const checkNames: readonly string[] = Object.keys(checks);

/** Checks that need the service in a process of its own. */
export function needsProcess(assertions: readonly Assertion[]): boolean {
  return assertions.some(({ check }) => check === "rss_growth_mb_at_most" || check === "event_loop_block_ms_at_most");
}

/** The fields that a check may have besides its name. Throws for a check that is not known. */
export function assertionFields(check: string): readonly string[] {
  return checkNamed(check).fields;
}

/** Throws where what was seen breaks the assertion. */
export function judge(seen: Observation, assertion: Assertion): void {
  checkNamed(assertion.check).judge(seen, assertion);
}

function checkNamed(name: string): Check {
  const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
  if (!check) throw new Error(`the check ${name} is not known`);
  return check;
}

function promptSmaller(seen: Observation, assertion: Assertion): void {
  const now = call(seen, assertion);
  if (assertion.or_model !== undefined && modelOf(now) === assertion.or_model) return;
  const [size, before] = [now, receivedCall(seen, number(assertion, ["than"]))].map(promptBytes);
  assert.ok(Number(size) < Number(before), `${size} bytes after ${before}`);
}

function instructionAndSchemaKept(seen: Observation, assertion: Assertion): void {
  const { request } = seen;
  const properties = request.schema?.properties;
  const names = typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
  const body = bodyText(call(seen, assertion));
  for (const text of [instructionText(request), ...names]) assert.ok(body.includes(text), `the body lacks ${text}`);
}

function upstreamClosed(seen: Observation, assertion: Assertion): void {
  const { startedAt, closedAt } = call(seen, assertion);
  const limitMs = number(assertion, BOUND);
  assert.ok(
    closedAt !== undefined && closedAt - startedAt <= limitMs,
    `closed after ${(closedAt ?? NaN) - startedAt} ms`,
  );
}

function call(seen: Observation, assertion: Assertion) {
  return receivedCall(seen, assertion.call === undefined ? -1 : number(assertion, ["call"]));
}

function number(assertion: Assertion, names: readonly string[]): number {
  const [value, ...more] = names.map((name) => assertion[name]).filter((given) => given !== undefined);
  if (typeof value === "number" && more.length === 0) return value;
  throw new Error(`${assertion.check} needs one number: ${names.join(" or ")}`);
}

function texts(assertion: Assertion): readonly string[] {
  const found = TEXTS.flatMap((name) => assertion[name] ?? []).map(String);
  if (found.length === 0) throw new Error(`${assertion.check} needs a text`);
  return found;
}

function within(value: number | undefined, { min = 0, max = Infinity }: Assertion, what: string): void {
  const isWithin = value !== undefined && value >= Number(min) && value <= Number(max);
  assert.ok(isWithin, `${what} is ${value}, not ${min} to ${max}`);
}

function atMost(value: number | undefined, assertion: Assertion, what: string): void {
  const limit = number(assertion, BOUND);
  assert.ok(value !== undefined && value <= limit, `${what}: ${value}, at most ${limit} allowed`);
}
