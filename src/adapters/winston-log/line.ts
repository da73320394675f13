import type { LogFields } from "../../core/log.ts";
import { plainValue } from "./plain-value.ts";

/** The longest line in UTF-16 units, without its newline. Collectors cut or drop lines above 16 KiB (Docker, CRI). */
export const MAX_LINE_CHARACTERS = 16_384;

const OWN_KEYS: ReadonlySet<string> = new Set(["time", "level", "event", "truncated"]);

/** How long texts may be, first try first: a line that is too long is written again with shorter ones. */
const TEXT_LIMITS = [4_096, 256] as const;

/**
 * One log line: a JSON object with `time` (RFC 3339, UTC), `level`, `event`, then the fields. A field with one of those
 * names, or `truncated`, is written as `field_<name>`. Errors become `{name, message, code?, stack, cause?}`, bigints
 * decimal texts, cycles "[circular]". The line never exceeds `MAX_LINE_CHARACTERS`: long texts are cut, in the worst
 * case all fields are left out, and `truncated` is true. Never throws.
 */
export function logLine(time: Date, level: string, event: unknown, fields: LogFields): string {
  const head = { time: time.toISOString(), level, event: String(event).slice(0, 128) };
  for (const maxTextCharacters of TEXT_LIMITS) {
    const body: Record<string, unknown> = Object.create(null);
    let cut = maxTextCharacters !== TEXT_LIMITS[0];
    for (const [key, value] of Object.entries(fields)) {
      const plain = plainValue(value, maxTextCharacters);
      if (plain.value === undefined) continue;
      body[OWN_KEYS.has(key) ? `field_${key}` : key] = plain.value;
      cut ||= plain.cut;
    }
    const line = JSON.stringify(cut ? { ...head, ...body, truncated: true } : { ...head, ...body });
    if (line.length <= MAX_LINE_CHARACTERS) return line;
  }
  return JSON.stringify({ ...head, truncated: true });
}
