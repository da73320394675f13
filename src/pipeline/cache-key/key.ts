import { createHmac, hash } from "node:crypto";

/** A part of a key, for those who look for the reason why two requests do not share an answer. */
export interface KeyPart {
  readonly name: string;
  /**
   * Equal for equal values of the part, and telling nothing else about them: 16 hex digits of an HMAC. Empty for parts
   * that may hold secrets.
   */
  readonly digest: string;
}

/** A cache key and what it is made of. */
export interface CacheKey {
  /** SHA-256, lower-case hex. */
  readonly key: string;
  /**
   * The parts in their order, put together only when this is called.
   * @param digestKey the secret of the digests: they can be compared only among those that were made with the same one.
   */
  parts(digestKey: Uint8Array): readonly KeyPart[];
}

/** `T` where `Names` names every field of it, else `never`, which nothing satisfies. */
export type OnlyFields<T, Names> = [keyof T] extends [Names] ? T : never;

/** Where headers and addresses are, credentials may be. */
const MAY_HOLD_SECRETS: ReadonlySet<string> = new Set(["base_url", "provider_settings", "escalation_settings"]);

const DIGEST_DIGITS = 16;

/** JSON with a fixed order of names is unambiguous: every text is quoted, so no value can pose as its neighbour. */
export function cacheKey(parts: Readonly<Record<string, unknown>>): CacheKey {
  return {
    key: hash("sha256", JSON.stringify(parts)),
    parts: (digestKey) =>
      Object.entries(parts).map(([name, value]) => ({
        name,
        digest: MAY_HOLD_SECRETS.has(name) ? "" : digest(digestKey, name, value),
      })),
  };
}

function digest(digestKey: Uint8Array, name: string, value: unknown): string {
  const text = JSON.stringify([name, value]);
  return createHmac("sha256", digestKey).update(text).digest("hex").slice(0, DIGEST_DIGITS);
}
