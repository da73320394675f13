import type { ScenarioService } from "./scenario.ts";

/**
 * What sluice.yaml holds for a scenario's service. The scenarios name a small and a large model of one provider.
 *
 * The small one escalates to the large one (`escalate_to`), which is asked where answers stay bad. It has no
 * `fallbacks`: a wait of a day, a used-up quota, a refused key and a forbidden retry must end the call after one request
 * (`calls: 1`), and a fallback, which has the same provider and key here, would be a second one.
 */
export function scenarioConfig(service: ScenarioService, upstreamUrl: string): Record<string, unknown> {
  const [small, large] = service.models;
  const models = service.models.map(({ name, context_tokens, max_output_tokens, initial_max_tokens }) => [
    name,
    {
      provider: "main",
      model: name,
      context_tokens,
      max_output_tokens,
      initial_max_tokens,
      structured_output: structuredOutput(service.native_json),
      stream_upstream: service.upstream_stream,
      fallbacks: [],
      ...(name === small?.name && large && { escalate_to: large.name }),
    },
  ]);
  const { attempt_timeout_ms, idle_timeout_ms, api_key } = service;
  return {
    providers: {
      main: {
        base_url: upstreamUrl.replace(/^http/, service.base_url_scheme).concat("/v1"),
        api_key,
        attempt_timeout_ms,
        idle_timeout_ms,
      },
    },
    models: Object.fromEntries(models),
    retry: {
      max_attempts: service.max_attempts,
      max_corrections: service.max_parse_retries,
      backoff_base_ms: service.backoff_base_ms,
      backoff_max_ms: service.backoff_max_ms,
    },
  };
}

function structuredOutput(native: ScenarioService["native_json"]): string {
  return native === "none" || native === false ? "prompt" : native;
}
