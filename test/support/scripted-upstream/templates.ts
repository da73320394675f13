/**
 * Fills in `{{http_date:+2s}}`, `{{rfc3339:+1s}}` (seconds from now), `{{epoch_ms:+1500}}`, `{{epoch_s:+2}}` and
 * `{{second_origin}}`. Anything else in double braces stays.
 */
export function fillTemplates(text: string, nowMs: number, secondOrigin: string): string {
  return text.replace(/\{\{(\w+)(?::([+-]\d+)s?)?\}\}/g, (whole, name: string, offset: string | undefined) => {
    const by = Number(offset ?? 0);
    switch (name) {
      case "http_date":
        return new Date(nowMs + by * 1_000).toUTCString();
      case "rfc3339":
        return new Date(nowMs + by * 1_000).toISOString();
      case "epoch_ms":
        return String(nowMs + by);
      case "epoch_s":
        return String(Math.floor(nowMs / 1_000) + by);
      case "second_origin":
        return secondOrigin;
      default:
        return whole;
    }
  });
}
