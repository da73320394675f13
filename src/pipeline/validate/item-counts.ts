import { type DescField, type DescMessage, getOption, hasOption, type MessageShape } from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { field as fieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { FieldViolation } from "../../core/failure.ts";

/**
 * Finds lists that hold more items than their rule allows, without looking at an item of theirs. Millions of empty items
 * fit into a message that is not too large, and checking each before counting them would hold the process for seconds.
 */
export function findLongLists<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): FieldViolation[] {
  return [...longLists(reflect(schema, message), "")];
}

function* longLists(message: ReflectMessage, path: string): Generator<FieldViolation> {
  for (const field of message.desc.fields) {
    if (!message.isSet(field)) continue;
    const here = path ? `${path}.${field.name}` : field.name;
    if (field.fieldKind === "list") {
      const most = maxItems(field);
      const list = message.get(field);
      if (most !== undefined && list.size > most) {
        yield { field: here, rule: "repeated.max_items", description: `must contain no more than ${most} item(s)` };
        return;
      }
      if (field.listKind !== "message") continue;
      let index = 0;
      for (const item of list) {
        yield* longLists(item as ReflectMessage, `${here}[${index}]`);
        index += 1;
      }
    } else if (field.fieldKind === "message" && !isWellKnown(field.message)) {
      yield* longLists(message.get(field), here);
    }
  }
}

/** A Struct has limits of its own, which are checked where variables are read. */
function isWellKnown(message: DescMessage): boolean {
  return message.typeName.startsWith("google.protobuf.");
}

const limits = new WeakMap<DescField, number | undefined>();

function maxItems(field: DescField): number | undefined {
  if (limits.has(field)) return limits.get(field);
  const rules = hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
  const most =
    rules?.type.case === "repeated" && rules.type.value.maxItems ? Number(rules.type.value.maxItems) : undefined;
  limits.set(field, most);
  return most;
}
