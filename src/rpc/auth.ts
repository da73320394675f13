import { hash, timingSafeEqual } from "node:crypto";
import type { Caller } from "../core/call.ts";
import { SluiceError } from "../core/failure.ts";

/** An API key as it stands in the configuration: never the key itself. */
export interface ApiKey {
  /** Name of the key, for logs and the ledger. */
  readonly id: string;
  readonly tenant: string;
  /** SHA-256 of the key, 64 hex digits. */
  readonly sha256: string;
  /** Whether it is for those who run the server. Default: no. */
  readonly admin?: boolean;
}

/** The headers of a request, whatever holds them; null for one that it has not. */
export type HeaderReader = Pick<Headers, "get">;

/** Finds out who calls. */
export interface Authenticator {
  /** @throws SluiceError UNAUTHENTICATED where the credential is missing, unknown, malformed or ambiguous. */
  authenticate(header: HeaderReader): Caller;
}

const HOW = "send it as `authorization: Bearer <key>` or `x-api-key: <key>`";
/** No honest key is longer; hashing is linear in it. */
const MAX_KEY_CHARACTERS = 4096;

/**
 * Knows the keys of the configuration. Without keys the service is open, and every caller is tenant `local` and an
 * administrator; what credentials such a caller sends is not looked at.
 * @throws RangeError for a hash that is not 64 hex digits.
 */
export function createAuthenticator(apiKeys: readonly ApiKey[]): Authenticator {
  if (apiKeys.length === 0) {
    const local: Caller = { tenant: "local", keyId: "", isAdmin: true };
    return { authenticate: () => local };
  }
  const known = apiKeys.map(({ id, tenant, sha256, admin = false }) => {
    if (!/^[0-9a-f]{64}$/i.test(sha256)) throw new RangeError(`API key ${id}: sha256 must be 64 hex digits`);
    const caller: Caller = { tenant, keyId: id, isAdmin: admin };
    return { hash: Buffer.from(sha256, "hex"), caller };
  });
  return {
    authenticate(header) {
      const received = hash("sha256", credentialOf(header), "buffer");
      let found: Caller | undefined;
      // Every key is compared, in constant time each, so that the time says nothing about which one came near.
      for (const { hash: candidate, caller } of known) if (timingSafeEqual(candidate, received)) found = caller;
      if (!found) throw unauthenticated(`the key is unknown; ${HOW}`);
      return found;
    },
  };
}

/** The one credential of a request. */
function credentialOf(header: HeaderReader): string {
  const authorization = header.get("authorization");
  const apiKey = header.get("x-api-key");
  const bearer = authorization === null ? null : bearerOf(authorization);
  if (bearer !== null && apiKey !== null && bearer !== apiKey) {
    throw unauthenticated("two different keys were sent; send one");
  }
  const credential = bearer ?? apiKey;
  if (credential === null || credential === "") throw unauthenticated(`a key is needed; ${HOW}`);
  if (credential.length > MAX_KEY_CHARACTERS) throw unauthenticated("the key is too long to be one");
  return credential;
}

/** RFC 6750, 2.1; the scheme's case does not matter (RFC 9110, 11.1). A comma is what repeated headers are joined with. */
function bearerOf(authorization: string): string {
  const [, token] = /^bearer +([^\s,]+)$/i.exec(authorization) ?? [];
  if (token === undefined) throw unauthenticated(`the authorization header is not one bearer key; ${HOW}`);
  return token;
}

function unauthenticated(hint: string): SluiceError {
  return new SluiceError({ reason: "UNAUTHENTICATED", hint });
}
