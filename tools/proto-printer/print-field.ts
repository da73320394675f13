import type { DescExtension, DescField } from "@bufbuild/protobuf";
import { getOption, hasOption, ScalarType, toJson } from "@bufbuild/protobuf";
import {
  Edition,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
} from "@bufbuild/protobuf/wkt";
import { PredefinedRulesSchema, predefined } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { block, indent, quote } from "./layout.ts";
import { textFormat } from "./text-format.ts";

/** The statement that declares a field. `inOneof`: whether it stands inside a oneof, where fields have no label. */
export function printField(field: DescField, inOneof: boolean): string[] {
  const number = `${field.name} = ${field.number}`;
  if (field.fieldKind === "map") return statement(`map<${mapTypes(field)}> ${number}`, options(field));
  const label = inOneof ? "" : fieldLabel(field);
  return statement(`${label}${typeName(field.proto)} ${number}`, options(field));
}

/** The `extend` block that declares an extension. */
export function printExtension(extension: DescExtension): string[] {
  const label = extension.proto.label === FieldDescriptorProto_Label.REPEATED ? "repeated " : "optional ";
  const declaration = `${label}${typeName(extension.proto)} ${extension.name} = ${extension.number};`;
  return block(`extend .${extension.extendee.typeName}`, [declaration]);
}

function fieldLabel({ proto, parent }: DescField): string {
  if (proto.label === FieldDescriptorProto_Label.REPEATED) return "repeated ";
  if (proto.label === FieldDescriptorProto_Label.REQUIRED) return "required ";
  return proto.proto3Optional || parent.file.edition === Edition.EDITION_PROTO2 ? "optional " : "";
}

function typeName(proto: FieldDescriptorProto): string {
  // Types of messages and enums begin with a dot here: a full name that no inner scope can shadow.
  return proto.typeName !== "" ? proto.typeName : scalarName(proto.type);
}

function scalarName(type: number): string {
  const entry = Object.entries(ScalarType).find(([, value]) => value === type);
  if (!entry) throw new Error(`field type ${type} is not supported`);
  return entry[0].toLowerCase();
}

function mapTypes(field: DescField & { fieldKind: "map" }): string {
  const value = field.mapKind === "scalar" ? scalarName(field.scalar) : `.${(field.message ?? field.enum).typeName}`;
  return `${scalarName(field.mapKey)}, ${value}`;
}

/** Each option as lines of its own: an option's value may be a message. */
function options(field: DescField): string[][] {
  const { proto } = field;
  const printed: string[][] = [];
  if (proto.defaultValue !== "") printed.push([`default = ${defaultValue(proto)}`]);
  if (proto.options?.deprecated) printed.push(["deprecated = true"]);
  if (proto.options?.packed) printed.push(["packed = true"]);
  if (hasOption(field, predefined)) {
    const json = toJson(PredefinedRulesSchema, getOption(field, predefined), { useProtoFieldName: true });
    printed.push(block("(buf.validate.predefined) =", textFormat(json)));
  }
  return printed;
}

function defaultValue({ defaultValue: value, type }: FieldDescriptorProto): string {
  return type === FieldDescriptorProto_Type.STRING ? quote(value) : value;
}

function statement(declaration: string, printedOptions: string[][]): string[] {
  if (printedOptions.length === 0) return [`${declaration};`];
  const separated = printedOptions.flatMap((lines, index) =>
    index < printedOptions.length - 1 ? [...lines.slice(0, -1), `${lines.at(-1)},`] : lines,
  );
  return [`${declaration} [`, ...indent(separated), "];"];
}
