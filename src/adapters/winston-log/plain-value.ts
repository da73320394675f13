/** Values below this depth, and entries beyond this number in one object, are left out. */
const MAX_DEPTH = 6;
const MAX_ENTRIES = 64;
/** All values of one field together. */
const MAX_VALUES = 512;

interface Walk {
  readonly maxTextCharacters: number;
  /** The objects between the root and here. */
  readonly above: Set<object>;
  values: number;
  cut: boolean;
}

/**
 * Any value as plain JSON: no cycles, no bigints, bounded depth, width and length of texts; `cut` says whether
 * something was left out. Functions, symbols and undefined are `undefined`. Never throws, even for a getter that does.
 */
export function plainValue(value: unknown, maxTextCharacters: number): { value: unknown; cut: boolean } {
  const walk: Walk = { maxTextCharacters, above: new Set(), values: 0, cut: false };
  return { value: plain(value, walk), cut: walk.cut };
}

function plain(value: unknown, walk: Walk): unknown {
  switch (typeof value) {
    case "string":
      return text(value, walk);
    case "bigint":
      return value.toString();
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "boolean":
      return value;
    case "object":
      return value === null ? null : object(value, walk);
    default:
      return undefined;
  }
}

function text(value: string, walk: Walk): string {
  if (value.length <= walk.maxTextCharacters) return value;
  walk.cut = true;
  return `${value.slice(0, walk.maxTextCharacters)}…`;
}

function object(value: object, walk: Walk): unknown {
  if (walk.above.has(value)) return "[circular]";
  if (walk.above.size >= MAX_DEPTH || ++walk.values > MAX_VALUES) {
    walk.cut = true;
    return "[…]";
  }
  walk.above.add(value);
  try {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? "[invalid date]" : value.toISOString();
    if (value instanceof Error) return error(value, walk);
    if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
    if (value instanceof Map || value instanceof Set) return array([...value].slice(0, MAX_ENTRIES + 1), walk);
    return Array.isArray(value) ? array(value, walk) : record(value, walk);
  } catch {
    // A getter or a proxy of a foreign value threw; the rest of the line matters more.
    return "[unreadable]";
  } finally {
    walk.above.delete(value);
  }
}

function array(value: readonly unknown[], walk: Walk): unknown {
  if (value.length > MAX_ENTRIES) walk.cut = true;
  return value.slice(0, MAX_ENTRIES).map((entry) => plain(entry, walk) ?? null);
}

function record(value: object, walk: Walk): unknown {
  const keys = Object.keys(value);
  if (keys.length > MAX_ENTRIES) walk.cut = true;
  const out: Record<string, unknown> = Object.create(null);
  for (const key of keys.slice(0, MAX_ENTRIES)) {
    out[key.slice(0, 128)] = plain(Reflect.get(value, key), walk);
  }
  return out;
}

/** Other properties of errors are left out on purpose: libraries put requests, and with them texts and keys, there. */
function error(value: Error, walk: Walk): unknown {
  return {
    name: text(String(value.name), walk),
    message: text(String(value.message), walk),
    code: "code" in value ? plain(value.code, walk) : undefined,
    stack: value.stack === undefined ? undefined : text(String(value.stack), walk),
    cause: value.cause === undefined ? undefined : plain(value.cause, walk),
    errors: value instanceof AggregateError ? array(value.errors, walk) : undefined,
  };
}
