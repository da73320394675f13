import type { UpstreamErrorKind } from "../../../core/model.ts";
import type { ProviderError } from "./error-body.ts";

/** One way in which providers word an error. Rows are tried in order; the first that fits decides. */
interface MessageRule {
  readonly kind: UpstreamErrorKind;
  /** The statuses at which the wording is believed. 200 stands for an error in a good answer or stream. */
  readonly statuses: readonly number[];
  readonly pattern: RegExp;
  readonly except?: RegExp;
}

const REFUSED = [200, 400, 413, 422];

/** The wording is looked at only for statuses that leave the cause open, and after long quotations were taken out. */
const RULES: readonly MessageRule[] = [
  // Bedrock's "Too many tokens, please wait before trying again" is a rate limit, whatever the status.
  { kind: "rate_limited", statuses: [200, 400, 503], pattern: /too many (?:tokens|requests), please (?:wait|slow)/i },
  {
    kind: "quota_exhausted",
    statuses: [200, 400, 403],
    pattern:
      /credit balance is too low|(?:spend(?:ing)?|usage|billing)(?: hard)? limit(?:s)? (?:has been |have been |was )?(?:reached|exceeded)|reached your (?:specified )?(?:api )?(?:usage|spend(?:ing)?) limits?|insufficient (?:credits|balance|funds)|exceeded your current quota/i,
  },
  {
    kind: "content_filtered_input",
    statuses: [200, 400, 403, 422],
    pattern:
      /content management policy|violating our usage polic|rejected (?:as a result of|by) (?:the|our) safety system|flagged (?:as|by|for)|moderation|guardrail|content policy|prohibited content/i,
  },
  { kind: "content_filtered_output", statuses: [200, 400], pattern: /output blocked by content filter/i },
  {
    kind: "auth_invalid",
    statuses: [200, 400, 403],
    pattern: /api key (?:not valid|not found|expired)|(?:invalid|incorrect) (?:api|subscription) key/i,
  },
  {
    kind: "permission_denied",
    statuses: [400],
    pattern: /location is not supported|region,? or territory not supported/i,
  },
  {
    kind: "output_limit_invalid",
    statuses: REFUSED,
    pattern:
      /max_?(?:completion_?|output_?|new_?)?tokens\b.{0,60}?(?:too large|too high|cannot be greater than|must be less than or equal|supported range)|max_tokens: \d+ > \d+|valid range of max_tokens|maximum tokens you requested exceeds/i,
    except: /maximum context length|context (?:window|limit) exceeded|got -\d/i,
  },
  {
    kind: "context_overflow",
    statuses: [...REFUSED, 500],
    pattern:
      /maximum (?:context|prompt|input) length|context (?:length|window|size|limit)\b.{0,30}?exceed|exceeds?\b.{0,40}?context (?:length|window|size|limit)|contextwindowexceedederror|reduce the length of the (?:messages|input|prompt)|(?:prompt|input)(?: is)? too long|too many input tokens|expected maxlength:|tokens exceed the configured limit|exceeds the maximum number of (?:input )?tokens|prompt tokens \(\d+\) exceed|exceed context limit|longer than the model's context|greater than the context length|exceeded model token limit|max_tokens must be at least 1, got -\d/i,
    except: /string too long|tokens per (?:min|day)|please wait/i,
  },
  {
    kind: "json_mode_refused",
    statuses: REFUSED,
    pattern:
      /(?:response_format|json_schema|json_object|json mode|structured outputs?|guided_json|grammar)\b.{0,120}?(?:not (?:supported|available|permitted|allowed|enabled)|unsupported|unavailable|invalid|must be|does not|cannot|extra)|(?:not support|unsupported|unavailable|invalid|extra inputs).{0,120}?(?:response_format|json_schema|json_object|json mode|structured outputs?|grammar)|must contain the word .?json/i,
  },
  {
    kind: "model_not_found",
    statuses: REFUSED,
    pattern:
      /\bmodel\b.{0,120}?(?:does not exist|not found|not exist|decommissioned|is not available)|(?:invalid|unknown|no such) model\b|not a valid model/i,
  },
  {
    kind: "overloaded",
    statuses: [200, 400],
    pattern:
      /overloaded|server busy|capacity exceeded|high demand|temporarily unavailable|runner process has terminated|upstream (?:error|timeout)/i,
  },
  { kind: "rate_limited", statuses: [200], pattern: /rate.?limit|too many requests/i },
];

/** What the message says; `undefined` where it says nothing that is known. `message` is without long quotations. */
export function kindOfMessage(status: number, message: string, error: ProviderError): UpstreamErrorKind | undefined {
  if (status === 403 && isModeration(error)) return "content_filtered_input";
  if (REFUSED.includes(status) && error.param.startsWith("response_format")) return "json_mode_refused";
  const rule = RULES.find(
    ({ statuses, pattern, except }) => statuses.includes(status) && pattern.test(message) && !except?.test(message),
  );
  return rule?.kind;
}

/** OpenRouter: a 403 that names what was flagged comes from a moderation model, not from a missing permission. */
function isModeration(error: ProviderError): boolean {
  return error.details.some((detail) => detail.flagged_input !== undefined || Array.isArray(detail.reasons));
}
