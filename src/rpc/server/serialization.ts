import type { DescMessage } from "@bufbuild/protobuf";
import { checkJsonTimes, hasTimes } from "../call/json-dates.ts";

/** JSON that is not UTF-8 must be refused, not mended. */
const utf8 = new TextDecoder("utf-8", { fatal: true });

export const jsonOptions = {
  ignoreUnknownFields: false,
  textDecoder: { decode: (bytes: Uint8Array): string => utf8.decode(bytes) },
};

type JsonOptions = typeof jsonOptions;

const byMessage = new WeakMap<DescMessage, JsonOptions>();

/** How requests of this type are read: those that have times are checked for days that are none. */
export function jsonOptionsOf(schema: DescMessage): JsonOptions {
  const known = byMessage.get(schema);
  if (known) return known;
  const options = hasTimes(schema) ? { ...jsonOptions, textDecoder: checkingTimes(schema) } : jsonOptions;
  byMessage.set(schema, options);
  return options;
}

function checkingTimes(schema: DescMessage): JsonOptions["textDecoder"] {
  return {
    decode(bytes) {
      const text = utf8.decode(bytes);
      checkJsonTimes(schema, text);
      return text;
    },
  };
}

/** Fields that this version does not know are dropped: kept, each costs fifty times its bytes. */
export const binaryOptions = { readUnknownFields: false };
