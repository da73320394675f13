import type { JsonValue, MessageInitShape } from "@bufbuild/protobuf";
import type { ValueSchema } from "@bufbuild/protobuf/wkt";
import { Option } from "commander";
import type { MetadataConditionSchema, MetadataFilterSchema } from "../../gen/sluice/v1/retrieval_pb.ts";
import { scalarOf } from "./scalar.ts";
import { printable, UserError } from "./terminal.ts";

type Condition = Exclude<MessageInitShape<typeof MetadataConditionSchema>, { $typeName: string }>;

const KEY = "[A-Za-z_][A-Za-z0-9._-]{0,63}";
const COMPARED = new RegExp(`^(${KEY})\\s*(>=|<=|=|>|<)\\s*(.*)$`, "s");
const NAMED = new RegExp(`^(${KEY})\\s+(exists|missing|in)(?:\\s+(.*))?$`, "s");
const bounds = { ">": "gt", ">=": "gte", "<": "lt", "<=": "lte" } as const;

/** The option that gives one condition. */
export function whereOption(): Option {
  return new Option(
    "--where <condition>",
    "only documents whose metadata fit: key=value, key>=n, key<n, `key in a,b`, `key exists`, `key missing`; may be repeated, all hold",
  )
    .default([], "none")
    .argParser((value: string, before: readonly string[]) => [...before, value]);
}

/** The filter that conditions mean; undefined where there are none. @throws UserError for what is no condition. */
export function filterOf(
  conditions: readonly string[],
): Exclude<MessageInitShape<typeof MetadataFilterSchema>, { $typeName: string }> | undefined {
  return conditions.length === 0 ? undefined : { all: conditions.map(conditionOf) };
}

function conditionOf(text: string): Condition {
  const [, named = "", word, list = ""] = NAMED.exec(text.trim()) ?? [];
  if (word === "exists" || word === "missing") {
    if (list === "") return { key: named, test: { case: "exists", value: word === "exists" } };
  } else if (word === "in" && list !== "") {
    const values = list.split(",").map((item) => valueMessage(scalarOf(item.trim())));
    return { key: named, test: { case: "in", value: { values } } };
  }
  const [, key = "", operator, written = ""] = COMPARED.exec(text.trim()) ?? [];
  if (operator === "=") return { key, test: { case: "equals", value: valueMessage(scalarOf(written)) } };
  if (operator === ">" || operator === ">=" || operator === "<" || operator === "<=") {
    if (written === "") throw new UserError(`--where ${printable(key)}: a value must follow ${operator}`);
    return { key, test: { case: "range", value: { [bounds[operator]]: valueMessage(scalarOf(written)) } } };
  }
  throw new UserError(
    `--where: ${printable(text)} is no condition; write key=value, key>=n, key<n, key in a,b, key exists or key missing`,
  );
}

function valueMessage(value: JsonValue): MessageInitShape<typeof ValueSchema> {
  switch (typeof value) {
    case "boolean":
      return { kind: { case: "boolValue", value } };
    case "number":
      return { kind: { case: "numberValue", value } };
    default:
      return { kind: { case: "stringValue", value: String(value) } };
  }
}
