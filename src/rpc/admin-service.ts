import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type AdminService,
  type CacheFiguresSchema,
  type CacheLayerFiguresSchema,
  type PurgeCacheRequest,
  PurgeCacheRequestSchema,
} from "../../gen/sluice/v1/admin_service_pb.ts";
import type { CacheFilter, CacheLayerStats } from "../core/cache.ts";
import type { CacheAdmin, CacheStats } from "../core/cache-admin.ts";
import type { Call } from "../core/call.ts";
import { SluiceError } from "../core/failure.ts";
import type { Log } from "../core/log.ts";
import { checkMessage } from "../pipeline/validate.ts";
import { callOf } from "./call/call-setup.ts";

export interface AdminServicePorts {
  readonly cache: CacheAdmin;
  /** Of the program. */
  readonly version: string;
  /** Wall time, in milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly log: Log;
}

/** AdminService: the figures of the process, and purges, for keys with `admin: true`. */
export function adminService(ports: AdminServicePorts): ServiceImpl<typeof AdminService> {
  return {
    getStatus(_, context) {
      adminCallOf(context);
      const { version, startedAtMs, cache } = ports;
      return { version, startTime: timestampFromMs(startedAtMs), cache: cacheFigures(cache.stats()) };
    },
    async purgeCache(request, context) {
      const call = adminCallOf(context);
      checkRequest(request);
      const { memory, shared } = await purge(ports, filterOf(request, call.caller.tenant), call);
      return {
        purgedFromMemory: BigInt(memory),
        ...(shared !== undefined && { purgedFromShared: BigInt(shared) }),
      };
    },
  };
}

/** @throws SluiceError PERMISSION_DENIED for callers whose key is not for it. */
function adminCallOf(context: HandlerContext): Call {
  const call = callOf(context);
  if (call.caller.isAdmin) return call;
  const hint = `${context.service.name} needs a key with \`admin: true\` in \`auth.api_keys\``;
  throw new SluiceError({ reason: "PERMISSION_DENIED", hint });
}

/** The field that is named for a rule that several fields share. */
const fieldsOfRules: Readonly<Record<string, string>> = {
  "purge_cache.one_scope": "tenant",
  "purge_cache.filter_or_everything": "everything",
  "purge_cache.version_of_prompt": "prompt_version",
};

function checkRequest(request: PurgeCacheRequest): void {
  try {
    checkMessage(PurgeCacheRequestSchema, request);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.failure.reason !== "INVALID_REQUEST") throw error;
    const violations = error.failure.violations.map((violation) => ({
      ...violation,
      field: violation.field || (fieldsOfRules[violation.rule] ?? ""),
    }));
    throw new SluiceError({ reason: "INVALID_REQUEST", violations }, { cause: error });
  }
}

function filterOf(request: PurgeCacheRequest, ownTenant: string): CacheFilter {
  const { tenant, allTenants, promptName, promptVersion, model } = request;
  return {
    ...(!allTenants && { tenant: tenant || ownTenant }),
    ...(promptName && { promptName }),
    ...(promptVersion && { promptVersion }),
    ...(model && { model }),
  };
}

/** Purges, and says in the log who did. What a purge that fails removed stays removed, so that is said as well. */
async function purge({ cache, log }: AdminServicePorts, filter: CacheFilter, { id, caller, signal }: Call) {
  const { tenant, promptName, promptVersion, model } = filter;
  const who = { call_id: id, key_id: caller.keyId, tenant: caller.tenant };
  const what = { tenant: tenant ?? "*", prompt_name: promptName, prompt_version: promptVersion, model };
  try {
    const purged = await cache.purge(filter, signal);
    log.info("cache_purged", { ...who, filter: what, memory: purged.memory, shared: purged.shared });
    return purged;
  } catch (error) {
    log.warn("cache_purged_in_part", { ...who, filter: what, error });
    throw error;
  }
}

function cacheFigures({
  memory,
  shared,
  flights,
  savedNanoUsd,
}: CacheStats): MessageInitShape<typeof CacheFiguresSchema> {
  return {
    memory: layerFigures(memory, false),
    ...(shared && { shared: layerFigures(shared, shared.isAway) }),
    flights: {
      joined: BigInt(flights.joined),
      taken: BigInt(flights.taken),
      takenOver: BigInt(flights.takenOver),
    },
    savedNanoUsd,
  };
}

function layerFigures(stats: CacheLayerStats, isAway: boolean): MessageInitShape<typeof CacheLayerFiguresSchema> {
  const { evictions, entries, bytes, lookUpMs } = stats;
  return {
    hits: BigInt(stats.hits),
    misses: BigInt(stats.misses),
    unknown: BigInt(stats.unknown),
    stores: BigInt(stats.stores),
    unstored: BigInt(stats.unstored),
    ...(evictions !== undefined && { evictions: BigInt(evictions) }),
    ...(entries !== undefined && { entries: BigInt(entries) }),
    ...(bytes !== undefined && { bytes: BigInt(bytes) }),
    lookUpP50Ms: lookUpMs.p50,
    lookUpP99Ms: lookUpMs.p99,
    lookUpMaxMs: lookUpMs.max,
    isAway,
  };
}
