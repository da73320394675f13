import { CacheStatus } from "../../../gen/sluice/v1/completion_pb.ts";
import { SluiceError } from "../../core/failure.ts";
import type { EmbeddedTexts, EmbedJob, EmbedPorts } from "../embed.ts";
import { Asker } from "./asker.ts";
import { vectorKey } from "./key.ts";
import { TextWork } from "./work.ts";

/** The keys of a job's texts, in their order. */
export function keysOf({ call, target, texts }: Pick<EmbedJob, "call" | "target" | "texts">): readonly string[] {
  return texts.map((text) => vectorKey(call.caller.tenant, target, text).key);
}

/** What a job came to, with our own count of what was made for it. */
export interface CountedTexts extends EmbeddedTexts {
  /** Tokens of the texts that were neither cached nor another call's. */
  readonly madeTokens: number;
}

/** As `embedTexts`, for texts whose keys are known. */
export async function embedKeyed(ports: EmbedPorts, job: EmbedJob, keys: readonly string[]): Promise<CountedTexts> {
  job.signal.throwIfAborted();
  const asker = new Asker(job);
  const places = job.policy.onlyIfCached
    ? await cachedPlaces(ports, job, { asker, keys })
    : openPlaces(ports, job, { asker, keys });
  try {
    await asker.done();
  } catch (error) {
    await charged(asker, job);
    throw error;
  }
  return gathered(job, keys, { asker, places });
}

interface Seeking {
  readonly asker: Asker;
  readonly keys: readonly string[];
}

interface Place {
  readonly work: TextWork;
  /** Whether another call began the work. */
  readonly isJoined: boolean;
}

/** A place in work for each key: in what is under way, else in work of its own. Until it is begun nothing is awaited. */
function openPlaces(ports: EmbedPorts, job: EmbedJob, { asker, keys }: Seeking): ReadonlyMap<string, Place> {
  const { policy, target, call, texts } = job;
  const { tenant } = call.caller;
  const places = new Map<string, Place>();
  for (const [index, key] of keys.entries()) {
    if (places.has(key)) continue;
    const underWay = policy.mayJoin ? ports.embedBatches.find(target, key) : undefined;
    const asked = { key, text: texts[index] ?? "", tenant, target, ...(policy.mayWrite && { ttlMs: policy.ttlMs }) };
    const work = underWay ?? ports.embedBatches.claim(asked, policy.mayJoin);
    places.set(key, { work, isJoined: underWay !== undefined });
    asker.waitFor(work, index);
  }
  const own = [...places.values()].filter(({ isJoined }) => !isJoined).map(({ work }) => work);
  ports.embedBatches.begin(own, policy.mayRead ? { deadline: job.deadline } : undefined);
  return places;
}

/** A place for each key in what is stored, or in work that others began: nothing is begun for this call. */
async function cachedPlaces(
  ports: EmbedPorts,
  job: EmbedJob,
  { asker, keys }: Seeking,
): Promise<ReadonlyMap<string, Place>> {
  const { policy, target, call, texts } = job;
  const places = new Map<string, Place>();
  for (const [index, key] of keys.entries()) {
    const work = policy.mayJoin ? ports.embedBatches.find(target, key) : undefined;
    if (!work || places.has(key)) continue;
    places.set(key, { work, isJoined: true });
    asker.waitFor(work, index);
  }
  const wanted = [...new Set(keys)].filter((key) => !places.has(key));
  const found = policy.mayRead ? await ports.vectors.get(wanted, { deadline: job.deadline }) : [];
  for (const [at, key] of wanted.entries()) {
    const cached = found[at];
    if (cached?.vector.length !== target.dimension) {
      asker.leave(new SluiceError({ reason: "CACHE_MISS", key }));
      break;
    }
    const work = new TextWork({ key, text: texts[keys.indexOf(key)] ?? "", tenant: call.caller.tenant, target });
    const status = cached.layer === "memory" ? CacheStatus.MEMORY_HIT : CacheStatus.SHARED_HIT;
    work.answered({ vector: cached.vector, cached: status });
    places.set(key, { work, isJoined: false });
  }
  return places;
}

/**
 * A call that has failed waits for what it has paid to be recorded, unless that goes on for others: then its own end is
 * written when it is known.
 */
async function charged(asker: Asker, job: EmbedJob): Promise<void> {
  const bills = asker.openBills;
  if (bills.length === 0) return;
  const ended = Promise.all(bills.map((bill) => bill.ended)).then(() => {});
  if (bills.every(({ signal }) => signal.aborted)) await ended;
  else job.defer?.(ended);
}

function gathered(
  { policy, target }: EmbedJob,
  keys: readonly string[],
  { asker, places }: { asker: Asker; places: ReadonlyMap<string, Place> },
): CountedTexts {
  const made = policy.mayWrite ? CacheStatus.MISS : CacheStatus.BYPASSED;
  let servedModel: string | undefined;
  let madeTokens = 0;
  const statuses = new Map<string, CacheStatus>();
  for (const [key, { work, isJoined }] of places) {
    const isOthers = isJoined && !asker.hasPaidFor(work);
    statuses.set(key, work.answer?.cached ?? (isOthers ? CacheStatus.JOINED : made));
    servedModel ??= work.answer?.servedModel;
    if (!work.answer?.cached && !isOthers) madeTokens += work.tokens;
  }
  return {
    vectors: keys.map((key) => places.get(key)?.work.answer?.vector ?? new Float32Array()),
    statuses: keys.map((key) => statuses.get(key) ?? CacheStatus.UNSPECIFIED),
    servedModel: servedModel ?? target.providerModel,
    madeTokens,
  };
}
