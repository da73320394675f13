import type { JsonSchema, SchemaViolation } from "../../core/json-schema.ts";
import type { Repair } from "./repair.ts";

/** What a model sent, and why it stopped. */
export interface Answer {
  readonly text: string;
  /** "length": it ran into its number of output tokens. */
  readonly finish: "stop" | "length";
}

/** What the answer must be. */
export type WantedOutput =
  | { readonly kind: "text" }
  | {
      readonly kind: "json";
      readonly schema: JsonSchema;
      /** The JSON text that the model was shown as an example of the schema; empty or absent where there was none. */
      readonly shownExample?: string;
    };

/** What came of an answer. */
export type ParsedAnswer =
  | {
      readonly ok: true;
      /** Text as the model wrote it; for JSON the exact text of the validated value, digits untouched. */
      readonly text: string;
      /** The repairs of notation that were needed, without order; see repair.ts. */
      readonly repairs: readonly Repair[];
      /** For JSON: the value. Integers beyond 2^53 are rounded here, and exact in `text`. */
      readonly value?: unknown;
    }
  | {
      readonly ok: false;
      /** At most 8. Rule "json" where no value could be read, "empty" where there was nothing. */
      readonly violations: readonly SchemaViolation[];
      /** Whether the answer is cut because it ran into its number of output tokens: more tokens may help, words will not. */
      readonly truncated: boolean;
    };
