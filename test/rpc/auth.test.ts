import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { SluiceError } from "../../src/core/failure.ts";
import { createAuthenticator } from "../../src/rpc/auth.ts";

const sha256 = (key: string) => createHash("sha256").update(key).digest("hex");
const keys = [
  { id: "billing", tenant: "acme", sha256: sha256("key-one") },
  { id: "search", tenant: "globex", sha256: sha256("key-two").toUpperCase(), admin: false },
  { id: "operator", tenant: "acme", sha256: sha256("key-admin"), admin: true },
];

function refusal(headers: Record<string, string> | [string, string][] | Headers): string {
  try {
    createAuthenticator(keys).authenticate(new Headers(headers));
  } catch (error) {
    assert(error instanceof SluiceError && error.failure.reason === "UNAUTHENTICATED");
    return error.failure.hint;
  }
  return assert.fail("the credential was taken");
}

describe("the authenticator", () => {
  it("takes every caller for an administrator of tenant `local` where no keys are configured, whatever it sends", () => {
    const open = createAuthenticator([]);
    const local = { tenant: "local", keyId: "", isAdmin: true };
    assert.deepEqual(open.authenticate(new Headers()), local);
    assert.deepEqual(open.authenticate(new Headers({ authorization: "Basic x" })), local);
  });

  it("finds the tenant of a bearer key, of an x-api-key, and of both when they are the same", () => {
    const { authenticate } = createAuthenticator(keys);
    const search = { tenant: "globex", keyId: "search", isAdmin: false };
    assert.deepEqual(authenticate(new Headers({ authorization: "Bearer key-one" })), {
      tenant: "acme",
      keyId: "billing",
      isAdmin: false,
    });
    assert.deepEqual(authenticate(new Headers({ authorization: "bearer key-two" })), search);
    assert.deepEqual(authenticate(new Headers({ "x-api-key": "key-two" })), search);
    const both = new Headers({ authorization: "Bearer key-one", "x-api-key": "key-one" });
    assert.equal(authenticate(both).tenant, "acme");
  });

  it("takes the callers of a key for administrators where the configuration says so", () => {
    const caller = createAuthenticator(keys).authenticate(new Headers({ "x-api-key": "key-admin" }));
    assert.deepEqual(caller, { tenant: "acme", keyId: "operator", isAdmin: true });
  });

  it("refuses a request without a key, with an unknown one, or with the hash instead", () => {
    assert.match(refusal({}), /a key is needed/);
    assert.match(refusal({ "x-api-key": "" }), /a key is needed/);
    assert.match(refusal({ authorization: "Bearer key-three" }), /unknown/);
    assert.match(refusal({ authorization: `Bearer ${sha256("key-one")}` }), /unknown/);
    assert.match(refusal({ "x-api-key": "k".repeat(4097) }), /too long/);
  });

  it("refuses two different keys in one request, however they are sent", () => {
    assert.match(refusal({ authorization: "Bearer key-one", "x-api-key": "key-two" }), /two different keys/);
    const repeated = new Headers([
      ["authorization", "Bearer key-one"],
      ["authorization", "Bearer key-two"],
    ]);
    assert.match(refusal(repeated), /not one bearer key/);
  });

  it("refuses another scheme, and never quotes what was sent", () => {
    const hint = refusal({ authorization: "Basic c2VjcmV0" });
    assert.match(hint, /not one bearer key/);
    assert(!hint.includes("c2VjcmV0"));
  });

  it("is not made of hashes that are none", () => {
    assert.throws(() => createAuthenticator([{ id: "a", tenant: "t", sha256: "abc" }]), RangeError);
  });
});
