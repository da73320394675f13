import type { DescEnum, DescField, DescMessage, DescOneof } from "@bufbuild/protobuf";
import { block, spaced } from "./layout.ts";
import { printExtension, printField } from "./print-field.ts";
import { enumRanges, fieldRanges, reservedNames } from "./ranges.ts";

/** The declaration of an enum. */
export function printEnum({ name, proto, values }: DescEnum): string[] {
  return block(`enum ${name}`, [
    ...(proto.options?.allowAlias ? ["option allow_alias = true;"] : []),
    ...enumRanges(proto.reservedRange),
    ...reservedNames(proto.reservedName),
    ...values.map((value) => `${value.name} = ${value.number};`),
  ]);
}

/** The declaration of a message, with all that is declared inside it. */
export function printMessage(message: DescMessage): string[] {
  const { proto } = message;
  const nested = message.nestedMessages.filter((inner) => !inner.proto.options?.mapEntry);
  return block(
    `message ${message.name}`,
    spaced([
      ...message.nestedEnums.map(printEnum),
      ...nested.map(printMessage),
      ...message.nestedExtensions.map(printExtension),
      [
        ...fieldRanges("extensions", proto.extensionRange),
        ...fieldRanges("reserved", proto.reservedRange),
        ...reservedNames(proto.reservedName),
        ...message.members.flatMap(printMember),
      ],
    ]),
  );
}

function printMember(member: DescField | DescOneof): string[] {
  if (member.kind === "field") return printField(member, false);
  return block(
    `oneof ${member.name}`,
    member.fields.flatMap((field) => printField(field, true)),
  );
}
