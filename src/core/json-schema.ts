/** One way in which a value breaks a schema. Values appear only in `got`, and bounded. */
export interface SchemaViolation {
  /** JSON pointer into the value; empty for the whole. */
  readonly path: string;
  /** The schema keyword that is broken, such as "required". */
  readonly rule: string;
  /** What the rule asks for, at most 200 characters. */
  readonly expected: string;
  /** What was there instead: a type, a length, or an excerpt of at most 80 characters. */
  readonly got: string;
}

/** A compiled schema. Validation never coerces, never fills in defaults, never drops keys, and looks at own properties only. */
export interface JsonSchema {
  /** The schema as it was given. */
  readonly text: string;
  /** The parsed schema. Frozen. */
  readonly definition: unknown;
  /** Nothing for a valid value, else at most 8 violations, shallowest first. */
  validate(value: unknown): readonly SchemaViolation[];
}

/** A schema that cannot be used: no JSON, not 2020-12, unknown keyword, too deep, too large, unresolvable reference. */
export class InvalidSchemaError extends Error {
  /** JSON pointer into the schema. */
  readonly pointer: string;
  /** What is wrong, such as "json", "unknown_keyword", "depth", "ref", or the keyword that is misused. */
  readonly rule: string;

  constructor(pointer: string, rule: string, message: string) {
    super(message);
    this.name = "InvalidSchemaError";
    this.pointer = pointer;
    this.rule = rule;
  }
}

/**
 * Where a root that is a mere reference leads, as generators write recursive types: a name in `$defs`, or in
 * `definitions` as older ones call it. Undefined for every other root.
 */
export function rootReference(reference: unknown): { readonly holder: string; readonly name: string } | undefined {
  if (typeof reference !== "string") return undefined;
  const [, holder, name] = /^#\/(\$defs|definitions)\/([^/%~]+)$/.exec(reference) ?? [];
  return holder !== undefined && name !== undefined ? { holder, name } : undefined;
}

/** Compiles JSON Schemas (2020-12) and keeps the compiled ones in a bounded cache. */
export interface JsonSchemas {
  /** @throws InvalidSchemaError */
  compile(text: string): JsonSchema;
}
