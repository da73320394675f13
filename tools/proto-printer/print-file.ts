import type { DescFile } from "@bufbuild/protobuf";
import { Edition } from "@bufbuild/protobuf/wkt";
import { quote, spaced } from "./layout.ts";
import { printExtension } from "./print-field.ts";
import { printEnum, printMessage } from "./print-message.ts";

/**
 * The source of a proto file, from its descriptor. Comments are lost: descriptors in generated code have none. Of custom
 * options only protovalidate's predefined rules are printed. Services and groups are not supported.
 */
export function printFile(file: DescFile): string {
  if (file.services.length > 0) throw new Error(`${file.name}.proto: services are not supported`);
  const lines = spaced([
    [syntax(file)],
    [`package ${file.proto.package};`],
    file.proto.dependency.map((path) => `import ${quote(path)};`),
    fileOptions(file),
    ...file.extensions.map(printExtension),
    ...file.enums.map(printEnum),
    ...file.messages.map(printMessage),
  ]);
  return `${lines.join("\n")}\n`;
}

function syntax({ edition, name }: DescFile): string {
  if (edition === Edition.EDITION_PROTO2) return 'syntax = "proto2";';
  if (edition === Edition.EDITION_PROTO3) return 'syntax = "proto3";';
  throw new Error(`${name}.proto: only proto2 and proto3 are supported`);
}

function fileOptions({ proto: { options } }: DescFile): string[] {
  if (!options) return [];
  const { goPackage, javaPackage, javaOuterClassname, javaMultipleFiles } = options;
  return [
    ...(goPackage ? [`option go_package = ${quote(goPackage)};`] : []),
    ...(javaMultipleFiles ? ["option java_multiple_files = true;"] : []),
    ...(javaOuterClassname ? [`option java_outer_classname = ${quote(javaOuterClassname)};`] : []),
    ...(javaPackage ? [`option java_package = ${quote(javaPackage)};`] : []),
  ];
}
