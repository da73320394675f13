import type { DescField, DescMessage, DescOneof, MessageShape } from "@bufbuild/protobuf";
import { getOption, hasOption } from "@bufbuild/protobuf";
import {
  type FieldRules,
  field as fieldRules,
  message as messageRules,
  oneof as oneofRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { celRules } from "./quick-pass/cel-rules.ts";
import { scalarTest, type Test } from "./quick-pass/scalar-rules.ts";

/** A message as protobuf-es holds it: its fields by their local names. */
type Fields = Readonly<Record<string, unknown>>;

const passes = new WeakMap<DescMessage, Test>();

/**
 * Whether a message certainly keeps the rules that its proto declares. True is true; false means no more than that
 * somebody else must look: the full validator, which also says what is wrong. It knows the rules that this contract
 * uses, compiled once from the same descriptors, and takes a tenth of the full validator's time; a rule that it does
 * not know makes it answer false for every message that could break it.
 */
export function certainlyValid<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): boolean {
  return passOf(schema)(message);
}

function passOf(schema: DescMessage): Test {
  const known = passes.get(schema);
  if (known) return known;
  // Set before its fields are looked at, for messages that hold themselves.
  let tests: readonly Test[] | undefined;
  const pass: Test = (message) => {
    tests ??= testsOf(schema);
    return tests.every((test) => test(message));
  };
  passes.set(schema, pass);
  return pass;
}

function testsOf(schema: DescMessage): readonly Test[] {
  // A Struct has limits of its own, which are checked where variables are read.
  if (schema.typeName.startsWith("google.protobuf.")) return [];
  const rules = hasOption(schema, messageRules) ? getOption(schema, messageRules) : undefined;
  const isUnknown = rules !== undefined && (rules.celExpression.length > 0 || rules.oneof.length > 0);
  return [
    ...(isUnknown ? [never] : []),
    ...(rules?.cel ?? []).map(({ id }) => celRules.get(id) ?? never),
    ...schema.fields.filter(({ oneof }) => !oneof).map(fieldTest),
    ...schema.oneofs.map(oneofTest),
  ];
}

const never: Test = () => false;

function fieldTest(field: DescField): Test {
  const rules = rulesOf(field);
  const test = valueTest(field, rules);
  const { localName } = field;
  const isRequired = rules?.required === true;
  // Of a scalar without presence "required" means that it is not zero.
  if (isRequired && field.fieldKind !== "message") return never;
  return (message) => {
    const value = (message as Fields)[localName];
    return value === undefined ? !isRequired : test(value);
  };
}

function oneofTest(oneof: DescOneof): Test {
  const isRequired = hasOption(oneof, oneofRules) && getOption(oneof, oneofRules).required;
  const tests = new Map(oneof.fields.map((field) => [field.localName, valueTest(field, rulesOf(field))]));
  return (message) => {
    const chosen = (message as Fields)[oneof.localName] as { case: string | undefined; value?: unknown };
    if (chosen.case === undefined) return !isRequired;
    return tests.get(chosen.case)?.(chosen.value) ?? false;
  };
}

function rulesOf(field: DescField): FieldRules | undefined {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
}

function valueTest(field: DescField, rules: FieldRules | undefined): Test {
  const tests = [...(rules?.cel ?? []).map(({ id }) => celRules.get(id) ?? never)];
  if (rules && (rules.celExpression.length > 0 || rules.ignore !== 0)) tests.push(never);
  if (field.fieldKind === "list") tests.push(listTest(field, rules));
  else if (field.fieldKind === "message")
    tests.push(rules && rules.type.case !== undefined ? never : passOf(field.message));
  else if (field.fieldKind === "map") tests.push(never);
  else tests.push(scalarTest(field.enum, rules));
  return (value) => tests.every((test) => test(value));
}

function listTest(field: DescField & { fieldKind: "list" }, rules: FieldRules | undefined): Test {
  if (rules && rules.type.case !== "repeated" && rules.type.case !== undefined) return never;
  const list = rules?.type.case === "repeated" ? rules.type.value : undefined;
  if (list?.unique) return never;
  const least = Number(list?.minItems ?? 0n);
  const most = list?.maxItems ? Number(list.maxItems) : Number.POSITIVE_INFINITY;
  const itemTest = field.listKind === "message" ? passOf(field.message) : scalarTest(field.enum, list?.items);
  return (items) => Array.isArray(items) && items.length >= least && items.length <= most && items.every(itemTest);
}
