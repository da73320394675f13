import * as z from "zod";
import { configSchema } from "./schema.ts";

/** What is known of one key of the file. */
export interface ConfigKey {
  /** Such as `providers.*.api_key`; `*` stands for an id, an alias, a name or a list's index. */
  readonly path: string;
  readonly type: string;
  /** As JSON, or in words; absent for keys that are required where their section is given. */
  readonly defaultText?: string;
  readonly unit?: string;
  readonly description: string;
  readonly env: boolean;
  readonly secret: boolean;
  /** Sections and lists of sections hold other keys, which are listed too. */
  readonly section: boolean;
}

/** Every key of the schema, in its order, sections before what is in them. */
export const configKeys: readonly ConfigKey[] = [...keysOf(configSchema, [])];

/** The keys whose children are not fixed: ids, aliases, header names, indexes. */
const openSections: ReadonlySet<string> = new Set(openPatterns());

const byPath = new Map(configKeys.map((key) => [key.path, key]));

/** The key that a path in a file means, by the schema: `["providers", "main", "api_key"]` is `providers.*.api_key`. */
export function keyAt(path: readonly (string | number)[]): ConfigKey | undefined {
  return byPath.get(patternOf(path));
}

/** The names that the schema knows in the section at `path`. */
export function knownNames(path: readonly (string | number)[]): readonly string[] {
  const prefix = path.length === 0 ? "" : `${patternOf(path)}.`;
  return configKeys
    .filter((key) => key.path.startsWith(prefix))
    .map((key) => key.path.slice(prefix.length))
    .filter((name) => !name.includes(".") && name !== "*");
}

/** Replaces ids, aliases and indexes of a path by `*`. */
export function patternOf(path: readonly (string | number)[]): string {
  let pattern = "";
  for (const key of path) {
    const named = pattern === "" ? String(key) : `${pattern}.${key}`;
    pattern = typeof key === "number" || openSections.has(pattern) ? `${pattern}.*` : named;
  }
  return pattern;
}

function* keysOf(schema: z.ZodType, path: readonly string[]): Generator<ConfigKey> {
  const { inner, meta, defaultText } = unwrap(schema);
  const section = inner instanceof z.ZodObject;
  const entry = path.at(-1) === "*" && section;
  if (path.length > 0 && !entry) {
    yield {
      path: path.join("."),
      type: typeName(inner),
      ...(defaultText === undefined ? {} : { defaultText }),
      ...(meta.unit === undefined ? {} : { unit: meta.unit }),
      description: meta.description ?? "",
      env: meta.env ?? false,
      secret: meta.secret ?? false,
      section,
    };
  }
  if (inner instanceof z.ZodObject) {
    for (const [name, child] of Object.entries(inner.shape)) yield* keysOf(classic(child), [...path, name]);
  } else if (inner instanceof z.ZodRecord) {
    yield* keysOf(classic(inner.valueType), [...path, "*"]);
  } else if (inner instanceof z.ZodArray && inner.element instanceof z.ZodObject) {
    yield* keysOf(inner.element, [...path, "*"]);
  }
}

interface Unwrapped {
  readonly inner: z.ZodType;
  readonly meta: z.GlobalMeta;
  readonly defaultText?: string;
}

/** Looks through `default`, `prefault` and `optional`; the outermost description counts. */
function unwrap(schema: z.ZodType): Unwrapped {
  let inner = schema;
  let meta: z.GlobalMeta = {};
  let defaultText: string | undefined;
  for (;;) {
    meta = { ...inner.meta(), ...meta };
    if (inner instanceof z.ZodDefault) defaultText = JSON.stringify(inner.def.defaultValue);
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional) {
      inner = classic(inner.unwrap());
    } else {
      break;
    }
  }
  defaultText = meta.defaultText ?? defaultText;
  return defaultText === undefined ? { inner, meta } : { inner, meta, defaultText };
}

/** The schema's children are typed as zod's core type, which lacks `meta`; all of ours are of the classic one. */
function classic(schema: unknown): z.ZodType {
  if (schema instanceof z.ZodType) return schema;
  throw new Error("the configuration's schema holds something that is no zod type");
}

function typeName(schema: z.ZodType): string {
  if (schema instanceof z.ZodEnum) return schema.options.map((option) => `\`${option}\``).join(", ");
  if (schema instanceof z.ZodString) return "text";
  if (schema instanceof z.ZodBoolean) return "true or false";
  if (schema instanceof z.ZodNumber) return schema.format === "safeint" ? "whole number" : "number";
  if (schema instanceof z.ZodUnion) return "number or decimal text";
  if (schema instanceof z.ZodArray) return "list";
  return "mapping";
}

function* openPatterns(): Generator<string> {
  for (const { path } of configKeys) {
    for (const { index } of path.matchAll(/\.\*/g)) yield path.slice(0, index);
  }
}
