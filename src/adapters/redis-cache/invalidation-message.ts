import type { CacheFilter, Invalidation } from "../../core/cache.ts";

/** The one field of a message in the stream. */
export const MESSAGE_FIELD = "invalidation";

/** A longer one is none. */
export const MAX_MESSAGE_CHARACTERS = 4_096;

export function encodeInvalidation(sender: string, invalidation: Invalidation): string {
  return JSON.stringify({ sender, ...invalidation });
}

/** What a message says, and who sent it; `undefined` for anything that `encodeInvalidation` did not write. */
export function decodeInvalidation(
  fields: readonly string[],
): { readonly sender: string; readonly invalidation: Invalidation } | undefined {
  const [name, text] = fields;
  if (fields.length !== 2 || name !== MESSAGE_FIELD || text === undefined) return undefined;
  const message = parse(text);
  if (!message) return undefined;
  const { sender, kind, key, filter, ...rest } = message;
  if (typeof sender !== "string" || Object.keys(rest).length > 0) return undefined;
  if (kind === "key" && typeof key === "string" && filter === undefined) return { sender, invalidation: { kind, key } };
  const read = key === undefined ? readFilter(filter) : undefined;
  return kind === "purge" && read ? { sender, invalidation: { kind, filter: read } } : undefined;
}

function parse(text: string): Record<string, unknown> | undefined {
  if (text.length > MAX_MESSAGE_CHARACTERS) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readFilter(value: unknown): CacheFilter | undefined {
  if (!isRecord(value)) return undefined;
  const { tenant, promptName, promptVersion, model, ...rest } = value;
  if (Object.keys(rest).length > 0 || !isText(tenant) || !isText(promptName)) return undefined;
  if (!isText(promptVersion) || !isText(model)) return undefined;
  return {
    ...(tenant !== undefined && { tenant }),
    ...(promptName !== undefined && { promptName }),
    ...(promptVersion !== undefined && { promptVersion }),
    ...(model !== undefined && { model }),
  };
}

function isText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
