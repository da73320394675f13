import type { DescEnum } from "@bufbuild/protobuf";

/** `MISS` for CACHE_STATUS_MISS. */
export function nameOf(schema: DescEnum, value: number): string {
  return schema.value[value]?.localName ?? String(value);
}
