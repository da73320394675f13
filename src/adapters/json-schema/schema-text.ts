import { InvalidSchemaError } from "../../core/json-schema.ts";
import { pointerTo } from "./pointer.ts";

const MAX_BYTES = 65_536;

interface Container {
  readonly pointer: string;
  /** Undefined for an array. */
  readonly keys: Set<string> | undefined;
  step: string | number;
}

/** Strings with the colon that makes them a key, numbers, brackets and commas; the rest is of no interest here. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|-?\d[\d.eE+-]*|[{}[\],]/g;

/**
 * Reads the text of a schema. Refuses what `JSON.parse` lets through although its meaning depends on the reader: keys
 * that stand twice, `__proto__`, and numbers that a double cannot hold.
 * @throws InvalidSchemaError rules "size", "json", "duplicate_key", "key", "number".
 */
export function readSchemaText(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_BYTES) throw new InvalidSchemaError("", "size", `at most ${MAX_BYTES} bytes`);
  const definition = parse(text);
  refuseUnclearTokens(text);
  return definition;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // V8 quotes the text after the position; a message for callers names the place only.
    const [place = ""] = /at position \d+(?: \(line \d+ column \d+\))?/.exec(String(error)) ?? [];
    throw new InvalidSchemaError("", "json", `the schema is no JSON ${place}`.trimEnd());
  }
}

/** One pass over JSON that has been parsed, so that tokens need no checks of their own. */
function refuseUnclearTokens(text: string): void {
  const open: Container[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0];
    const inner = open.at(-1);
    if (match[1] !== undefined && inner?.keys) {
      addKey(inner, inner.keys, token.slice(0, -match[1].length));
    } else if (token === "{" || token === "[") {
      const pointer = inner ? pointerTo(inner.pointer, inner.step) : "";
      open.push({ pointer, keys: token === "{" ? new Set() : undefined, step: 0 });
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (token === ",") {
      if (inner && typeof inner.step === "number") inner.step += 1;
    } else if (!token.startsWith('"')) {
      refuseInexactNumber(token, inner ? pointerTo(inner.pointer, inner.step) : "");
    }
  }
}

function addKey(container: Container, keys: Set<string>, token: string): void {
  const key = String(JSON.parse(token));
  const pointer = pointerTo(container.pointer, key);
  if (key === "__proto__") throw new InvalidSchemaError(pointer, "key", "__proto__ is not taken as a key");
  if (keys.has(key)) throw new InvalidSchemaError(pointer, "duplicate_key", "this key stands twice in one object");
  keys.add(key);
  container.step = key;
}

function refuseInexactNumber(token: string, pointer: string): void {
  const value = Number(token);
  const isExact = Number.isFinite(value) && (!/^-?\d+$/.test(token) || BigInt(token) === BigInt(value));
  if (!isExact) throw new InvalidSchemaError(pointer, "number", "a number that a double cannot hold");
}
