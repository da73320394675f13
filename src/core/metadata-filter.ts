import type { Value } from "@bufbuild/protobuf/wkt";
import type {
  MetadataCondition as FilterCondition,
  MetadataFilter,
  MetadataRange,
} from "../../gen/sluice/v1/retrieval_pb.ts";
import type { MetadataCondition, MetadataScalar } from "./corpus.ts";
import { invalidRequest } from "./failure.ts";

const MAX_TEXT_BYTES = 1024;
const MAX_VALUES = 64;
const bytes = new TextEncoder();

/**
 * The conditions of a filter as stores take them.
 * @param field path of the filter, such as `retrieval.filter`.
 * @throws SluiceError INVALID_REQUEST for values of a kind that cannot be compared, and for ranges without a bound.
 */
export function readFilter(filter: MetadataFilter | undefined, field: string): readonly MetadataCondition[] {
  return (filter?.all ?? []).map((condition, index) => readCondition(condition, `${field}.all[${index}]`));
}

function readCondition({ key, test }: FilterCondition, field: string): MetadataCondition {
  switch (test.case) {
    case "equals":
      return { key, test: "in", values: [scalar(test.value, `${field}.equals`)] };
    case "in": {
      const { values } = test.value;
      if (values.length === 0 || values.length > MAX_VALUES) {
        throw invalidRequest(`${field}.in`, "filter.values", `must hold 1 to ${MAX_VALUES} values`);
      }
      return { key, test: "in", values: values.map((value, at) => scalar(value, `${field}.in[${at}]`)) };
    }
    case "range":
      return { key, test: "range", ...readRange(test.value, `${field}.range`) };
    case "exists":
      return { key, test: "exists", exists: test.value };
    default:
      throw invalidRequest(field, "required", "exactly one of equals, in, range and exists must be set");
  }
}

type Bounds = Partial<Record<"gt" | "gte" | "lt" | "lte", string | number>>;

function readRange(range: MetadataRange, field: string): Bounds {
  const bounds: Bounds = {};
  for (const name of ["gt", "gte", "lt", "lte"] as const) {
    const value = range[name];
    if (value) bounds[name] = bound(value, `${field}.${name}`);
  }
  const kinds = new Set(Object.values(bounds).map((value) => typeof value));
  if (kinds.size === 0) throw invalidRequest(field, "filter.bounds", "must have at least one of gt, gte, lt and lte");
  if (kinds.size > 1) throw invalidRequest(field, "filter.bounds", "must have bounds of one kind: numbers, or texts");
  if (bounds.gt !== undefined && bounds.gte !== undefined)
    throw invalidRequest(`${field}.gte`, "filter.bounds", "must not be set beside gt");
  if (bounds.lt !== undefined && bounds.lte !== undefined)
    throw invalidRequest(`${field}.lte`, "filter.bounds", "must not be set beside lt");
  return bounds;
}

function bound(value: Value, field: string): string | number {
  const read = scalar(value, field);
  if (typeof read !== "boolean") return read;
  throw invalidRequest(field, "filter.bounds", "must be a number or a text");
}

function scalar({ kind }: Value, field: string): MetadataScalar {
  switch (kind.case) {
    case "boolValue":
      return kind.value;
    case "numberValue":
      if (Number.isFinite(kind.value)) return kind.value;
      throw invalidRequest(field, "filter.value", "must be a finite number");
    case "stringValue":
      return text(kind.value, field);
    default:
      throw invalidRequest(field, "filter.value", "must be a text, a number or a bool");
  }
}

function text(value: string, field: string): string {
  if (bytes.encode(value).length > MAX_TEXT_BYTES)
    throw invalidRequest(field, "filter.value", `must be at most ${MAX_TEXT_BYTES} bytes`);
  // No metadata holds either, and no database takes them.
  if (value.includes("\0") || !value.isWellFormed())
    throw invalidRequest(field, "filter.value", "must be well-formed and hold no NUL");
  return value;
}
