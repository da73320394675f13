import type { DescEnum } from "@bufbuild/protobuf";

/** The name of an enum's value without the enum's own: `ERROR_REASON_RATE_LIMITED` is RATE_LIMITED. */
export function enumName(schema: DescEnum, number: number): string {
  const name = schema.value[number]?.name ?? `number ${number}`;
  const prefix = schema.sharedPrefix?.toUpperCase() ?? "";
  return name.startsWith(prefix) ? name.slice(prefix.length) : name;
}

/** The same in words: `STAGE_CALL_MODEL` is "call model". */
export function enumWords(schema: DescEnum, number: number): string {
  return enumName(schema, number).toLowerCase().replaceAll("_", " ");
}
