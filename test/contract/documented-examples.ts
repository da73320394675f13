import { readFileSync } from "node:fs";

/** The JSON examples in the comments of `error_reason.proto`, by reason. @throws Error for a value without one. */
export function documentedExamples(): Map<string, unknown> {
  const lines = readFileSync("proto/sluice/v1/error_reason.proto", "utf8").split("\n");
  const examples = new Map<string, unknown>();
  let example = "";
  for (const line of lines) {
    // Markdown's code block: four blanks after the comment's own one.
    const code = /^ {2}\/\/ {5}(.*)$/.exec(line);
    if (code) example += `${code[1]}\n`;
    const value = /^ {2}ERROR_REASON_([A-Z_]+) = (\d+);$/.exec(line);
    if (!value) continue;
    const [, reason = "", number] = value;
    if (number !== "0") examples.set(reason, parse(reason, example));
    example = "";
  }
  return examples;
}

function parse(reason: string, example: string): unknown {
  try {
    return JSON.parse(example);
  } catch (cause) {
    throw new Error(`the example of ${reason} is no JSON`, { cause });
  }
}

/** Ids and hashes, as the examples show them. */
const zeros: ReadonlyMap<string, string> = new Map([
  ["call_id", "00000000-0000-0000-0000-000000000000"],
  ["firstCallId", "00000000-0000-0000-0000-000000000000"],
  ["key", "0".repeat(64)],
]);

const times: ReadonlySet<string> = new Set([
  "latencyMs",
  "timeToFirstTokenMs",
  "waitMs",
  "firstStartedAt",
  "resetTime",
]);

/** The same with what differs from run to run made equal: call ids, cache keys, and how long attempts took. */
export function normalised(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalised);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !times.has(name))
      .map(([name, member]) => [name, zeros.get(name) ?? normalised(member)]),
  );
}

/** The same without how long to wait, but with the word that there is a wait. */
export function withoutWait(value: unknown): unknown {
  const json = JSON.stringify(normalised(value));
  return JSON.parse(json.replace(/"retryDelay":"[0-9.]+s"/, '"retryDelay":"some"'));
}
