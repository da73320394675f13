import { chunk, completion, events, failure } from "../support/scripted-upstream.ts";
import type { Expectation, FaultScenario } from "./scenario.ts";
import { type RawScenario, scenarioDefaults, scenarioOf } from "./scenario-file.ts";

const VALUE = { vessel: "Skarv", berth: 4, departs: "07:15" };
const good = completion(JSON.stringify(VALUE));
const OK = { outcome: "OK", value: VALUE } as const;
const rateLimit = { message: "Rate limit reached for served-model", type: "tokens", code: "rate_limit_exceeded" };
const wrongSum = completion('{"lines":[{"amount":3},{"amount":4}],"total":9}');

type Faults = Omit<RawScenario, "id" | "level" | "title" | "expect">;

function scenario(id: string, faults: Faults, expect: Expectation): FaultScenario {
  const raw: RawScenario = { ...faults, id, level: "must", title: "one of ours", expect };
  return scenarioOf(raw, scenarioDefaults());
}

/** What the file's scenarios leave out: calls together and in a row, floods, redirects, what a second request holds. */
export const moreScenarios = (): readonly FaultScenario[] => [
  scenario(
    "twenty callers are told to wait, and come back one after the other",
    { concurrency: 20, upstream: [failure(429, rateLimit, { "retry-after": "1" }), good] },
    {
      ...OK,
      calls: { min: 40, max: 40 },
      gaps_ms: [{ after_call: 20, min: 1_000 }],
      assert: [{ check: "second_calls_spread_ms", min: 40, max: 3_000 }],
    },
  ),
  scenario(
    "what a model was found not to take is not sent again",
    {
      request: { sequential_rpcs: 3 },
      upstream: [
        failure(400, {
          message: "Unsupported parameter: 'max_tokens' is not supported with this model.",
          param: "max_tokens",
          code: "unsupported_parameter",
        }),
        good,
      ],
    },
    { ...OK, calls: { min: 4, max: 4 } },
  ),
  scenario(
    "a redirect takes neither the key nor the prompt elsewhere",
    { upstream: [{ status: 307, headers: { location: "{{second_origin}}/v1/chat/completions" }, body_text: "" }] },
    {
      outcome_any: ["UPSTREAM_UNAVAILABLE", "UPSTREAM_AUTH"],
      calls: { min: 1, max: 4 },
      assert: [{ check: "second_origin_gets_no_request" }, { check: "second_origin_gets_no_authorization" }],
    },
  ),
  scenario(
    "a server that speaks no TLS",
    { service: { base_url_scheme: "https" }, upstream: [{ action: "tls_mismatch" }] },
    { outcome: "UPSTREAM_UNAVAILABLE", calls: { max: 0 }, total_ms: { max: 8_000 } },
  ),
  scenario(
    "a flood of white space neither fills the memory nor holds up others",
    {
      upstream: [
        {
          headers: { "content-type": "application/json" },
          infinite_body: { chunk: " ", chunk_repeat: 65_536, stop_after_bytes: 400e6 },
        },
      ],
    },
    {
      outcome_any: ["UPSTREAM_UNAVAILABLE", "UPSTREAM_TIMEOUT", "PARSE_FAILURE"],
      calls: { min: 1, max: 4 },
      assert: [
        { check: "rss_growth_mb_at_most", value: 250 },
        { check: "event_loop_block_ms_at_most", value: 1_000 },
      ],
    },
  ),
  scenario(
    "headers that come drop by drop",
    { service: { attempt_timeout_ms: 600 }, upstream: [{ ...good, drip_headers: { bytes: 1, every_ms: 100 } }, good] },
    { ...OK, calls: { min: 2, max: 2 }, assert: [{ check: "upstream_closed_within_ms", call: 1, ms: 1_200 }] },
  ),
  scenario(
    "a cut answer gets more tokens",
    { upstream: [completion('{"vessel":"Ska', { finish: "length" }), good] },
    {
      ...OK,
      calls: { min: 2, max: 2 },
      assert: [
        { check: "max_tokens_larger", call: 2, than: 1 },
        { check: "usage_sum", prompt_tokens: 620, completion_tokens: 48 },
      ],
    },
  ),
  scenario(
    "a model without the native mode is given the schema in the prompt",
    {
      upstream: [
        failure(400, {
          message: "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
          param: "response_format",
          code: null,
        }),
        good,
      ],
    },
    {
      ...OK,
      calls: { min: 2, max: 2 },
      assert: [
        { check: "native_json_schema_dropped", call: 2 },
        { check: "instruction_and_schema_kept", call: 2 },
      ],
    },
  ),
  scenario(
    "a correction says what is wrong, and where",
    { upstream: [completion('{"vessel":"Skarv","berth":"four","departs":"07:15"}'), good] },
    {
      ...OK,
      calls: { min: 2, max: 2 },
      assert: [
        { check: "body_contains_all", call: 2, all: ["/berth", "integer", "four"] },
        { check: "body_lacks", call: 1, text: "four" },
        { check: "instruction_and_schema_kept", call: 2 },
      ],
    },
  ),
  scenario(
    "corrections of a huge answer stay small and do not grow",
    { upstream: [completion("x".repeat(200_000))] },
    {
      outcome: "PARSE_FAILURE",
      calls: { min: 4, max: 4 },
      assert: [
        { check: "prompt_bytes_at_most", call: 2, value: 10_000 },
        { check: "prompt_ratio", call: 3, than: 2, min: 0.8, max: 1.2 },
        { check: "detail_lacks", text: "x".repeat(600) },
      ],
    },
  ),
  scenario(
    "a check that nobody keeps ends with everything a person needs",
    {
      request: {
        schema: {
          type: "object",
          properties: {
            lines: { type: "array", items: { type: "object", properties: { amount: { type: "number" } } } },
            total: { type: "number" },
          },
        },
        semantic_rule: { name: "the lines add up", js: "v.lines.reduce((s,l)=>s+l.amount,0)===v.total" },
      },
      upstream: [wrongSum],
    },
    {
      outcome: "SEMANTIC_FAILURE",
      calls: { min: 2, max: 4 },
      assert: [
        { check: "some_call_model", is: "large-1" },
        { check: "detail_contains", text: "the lines add up" },
      ],
    },
  ),
  scenario(
    "a prompt that is refused again and again gets shorter each time",
    {
      request: {
        context_chunks: Array.from({ length: 6 }, (_, i) => ({
          id: `log-${i}`,
          repeat: `tide log ${i}. `,
          times: 150,
        })),
      },
      upstream: [
        failure(400, { message: "This model's maximum context length is exceeded.", code: "context_length_exceeded" }),
      ],
    },
    { outcome: "CONTEXT_OVERFLOW", calls: { min: 2, max: 4 }, assert: [{ check: "prompts_strictly_decreasing" }] },
  ),
  scenario(
    "an instruction larger than the window is refused unpaid",
    {
      request: { instruction_repeat: { repeat: "wind four, swell one, ", times: 40_000 } },
      upstream: [good],
    },
    { outcome: "CONTEXT_OVERFLOW", calls: { max: 0 }, total_ms: { max: 4_000 } },
  ),
  scenario(
    "a key in the provider's message reaches nobody",
    { upstream: [failure(401, { message: "Incorrect API key provided: sk-hold-0099.", code: "invalid_api_key" })] },
    {
      outcome: "UPSTREAM_AUTH",
      calls: { min: 1, max: 1 },
      assert: [{ check: "no_secret_leak", text: "sk-hold-0099" }],
    },
  ),
  scenario(
    "a deadline is kept, and the socket does not outlive it",
    { service: { attempt_timeout_ms: 5_000 }, request: { deadline_ms: 700 }, upstream: [{ action: "hang" }] },
    {
      outcome: "UPSTREAM_TIMEOUT",
      calls: { min: 1, max: 1 },
      total_ms: { max: 900 },
      assert: [{ check: "upstream_closed_within_ms", call: 1, ms: 900 }],
    },
  ),
  scenario(
    "a caller leaves in the middle of a stream",
    {
      service: { upstream_stream: true, attempt_timeout_ms: 5_000, idle_timeout_ms: 5_000 },
      cancel_after_ms: 200,
      upstream: [events([chunk({ content: '{"vessel":' }), chunk({ content: '"Skarv"' })], { end: "hang" })],
    },
    {
      outcome: "CANCELLED",
      calls: { min: 1, max: 1 },
      total_ms: { max: 1_200 },
      assert: [{ check: "upstream_closed_within_ms", call: 1, ms: 800 }],
    },
  ),
];
