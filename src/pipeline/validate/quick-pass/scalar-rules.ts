import type { DescEnum } from "@bufbuild/protobuf";
import type { EnumRules, FieldRules, StringRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";

/** Whether a value certainly keeps its rules. */
export type Test = (value: unknown) => boolean;

const never: Test = () => false;
const always: Test = () => true;

/** The test of a scalar or enum; one that is never true where a rule is not known here. */
export function scalarTest(enumeration: DescEnum | undefined, rules: FieldRules | undefined): Test {
  if (!rules || rules.type.case === undefined) return always;
  switch (rules.type.case) {
    case "string":
      return stringTest(rules.type.value);
    case "enum":
      return enumeration ? enumTest(enumeration, rules.type.value) : never;
    case "double":
    case "uint32":
    case "int32":
      return numberTest(rules.type.value);
    default:
      return never;
  }
}

/** The names of the rules that are set and not among those that are known. */
function hasOthers(rules: object, known: readonly string[]): boolean {
  return Object.entries(rules).some(([name, value]) => !name.startsWith("$") && !known.includes(name) && isSet(value));
}

function isSet(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "object" && value !== null) return "case" in value ? value.case !== undefined : true;
  return value !== undefined && value !== false && value !== "" && value !== 0 && value !== 0n;
}

function stringTest(rules: StringRules): Test {
  const known = ["minLen", "minBytes", "maxBytes", "notContains", "pattern", "example"];
  // Lengths in characters are for the full validator, but for the one that asks for any at all.
  if (hasOthers(rules, known) || rules.minLen > 1n) return never;
  const pattern = rules.pattern ? new RegExp(rules.pattern, "u") : undefined;
  const { notContains } = rules;
  const leastBytes = Math.max(Number(rules.minLen), Number(rules.minBytes));
  const mostBytes = rules.maxBytes ? Number(rules.maxBytes) : Number.POSITIVE_INFINITY;
  return (value) =>
    typeof value === "string" &&
    (leastBytes <= 1 ? value.length >= leastBytes : Buffer.byteLength(value) >= leastBytes) &&
    // A UTF-16 unit takes at most three bytes.
    (value.length * 3 <= mostBytes || Buffer.byteLength(value) <= mostBytes) &&
    (notContains === "" || !value.includes(notContains)) &&
    (pattern === undefined || pattern.test(value));
}

function enumTest({ values }: DescEnum, rules: EnumRules): Test {
  if (hasOthers(rules, ["definedOnly", "notIn"])) return never;
  const defined = new Set(values.map(({ number }) => number));
  const refused = new Set(rules.notIn);
  return (value) => typeof value === "number" && (!rules.definedOnly || defined.has(value)) && !refused.has(value);
}

interface NumberRules {
  readonly finite?: boolean;
  readonly greaterThan: { readonly case?: string; readonly value?: number };
  readonly lessThan: { readonly case?: string; readonly value?: number };
}

function numberTest(rules: NumberRules): Test {
  if (hasOthers(rules, ["finite", "greaterThan", "lessThan"])) return never;
  const { greaterThan: above, lessThan: below } = rules;
  const least = above.value ?? Number.NEGATIVE_INFINITY;
  const most = below.value ?? Number.POSITIVE_INFINITY;
  // A range that is turned round means what lies outside of it.
  if (least > most) return never;
  return (value) =>
    typeof value === "number" &&
    (!rules.finite || Number.isFinite(value)) &&
    (above.case === "gt" ? value > least : above.case === "gte" ? value >= least : true) &&
    (below.case === "lt" ? value < most : below.case === "lte" ? value <= most : true);
}
