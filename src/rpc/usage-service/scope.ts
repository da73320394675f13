import { CacheStatus } from "../../../gen/sluice/v1/completion_pb.ts";
import type { UsageFilter as FilterMessage, UsageScope as ScopeMessage } from "../../../gen/sluice/v1/usage_pb.ts";
import type { Caller } from "../../core/call.ts";
import { invalidRequest, SluiceError } from "../../core/failure.ts";
import type { UsageFilter } from "../../core/usage.ts";

/**
 * The tenant whose calls are meant; `undefined` for all.
 * @throws SluiceError PERMISSION_DENIED for another tenant, unless the caller is an admin.
 */
export function readTenant(caller: Caller, scope: Pick<ScopeMessage, "tenant" | "allTenants"> | undefined) {
  const { tenant = "", allTenants = false } = scope ?? {};
  if (tenant !== "" && allTenants) {
    throw invalidRequest("scope.all_tenants", "scope.one", "must not be set together with `tenant`");
  }
  if (allTenants || (tenant !== "" && tenant !== caller.tenant)) requireAdmin(caller, "other tenants' calls");
  if (allTenants) return undefined;
  return tenant === "" ? caller.tenant : tenant;
}

/** @throws SluiceError PERMISSION_DENIED. */
export function requireAdmin(caller: Caller, what: string): void {
  if (caller.isAdmin) return;
  const hint = `${what} are only for keys with \`admin: true\` in \`auth.api_keys\``;
  throw new SluiceError({ reason: "PERMISSION_DENIED", hint });
}

export function readFilter(filter: FilterMessage | undefined): UsageFilter {
  return {
    features: filter?.features ?? [],
    users: filter?.users ?? [],
    models: filter?.models ?? [],
    promptNames: filter?.promptNames ?? [],
    promptVersions: filter?.promptVersions ?? [],
    errorReasons: filter?.errorReasons ?? [],
    cacheStatuses: (filter?.cacheStatuses ?? []).map((status) => words.get(status) ?? ""),
    ...(filter?.synthetic !== undefined && { synthetic: filter.synthetic }),
  };
}

/** The ledger's words: names in lower case; empty for calls without an answer. */
const statuses: ReadonlyMap<string, CacheStatus> = new Map(
  Object.entries(CacheStatus).map(([name, status]) => [
    status === CacheStatus.UNSPECIFIED ? "" : name.toLowerCase(),
    status,
  ]),
);
const words: ReadonlyMap<CacheStatus, string> = new Map([...statuses].map(([word, status]) => [status, word]));

export function cacheStatusOf(word: string): CacheStatus {
  return statuses.get(word) ?? CacheStatus.UNSPECIFIED;
}
