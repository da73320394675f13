import { create } from "@bufbuild/protobuf";
import {
  type ReembedCollectionRequest,
  ReembedCollectionRequestSchema,
  type ReembedCollectionResponse,
  ReembedCollectionResponseSchema,
} from "../../gen/sluice/v1/corpus_service_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { Call } from "../core/call.ts";
import type { ReembedBatch, StoredCollection } from "../core/corpus.ts";
import type { EmbeddingTarget } from "../core/embedding.ts";
import { cachePolicy } from "./cache.ts";
import { Charges } from "./charge.ts";
import { embedTexts } from "./embed.ts";
import { embeddedText, fitsModel } from "./embedded-text.ts";
import type { CorpusPorts } from "./put-documents.ts";
import { CallReport } from "./report.ts";
import { findCollection } from "./retrieve/find-chunks.ts";
import { checkMessage } from "./validate.ts";

/** Two requests' worth for a provider at a time: one is embedded while the answer of the other is stored. */
const REQUESTS_A_BATCH = 2;
const MAX_BATCH_CHUNKS = 512;
const PROGRESS_INTERVAL_MS = 250;
/** Where chunks came while the switch was tried. */
const RETRY_SWITCH_MS = 100;

interface Progress {
  readonly embeddedChunks: number;
  readonly totalChunks: number;
}

interface Work {
  readonly call: Call;
  readonly collection: StoredCollection;
  readonly target: EmbeddingTarget;
  readonly charges: Charges;
  readonly defer: (ended: Promise<void>) => void;
}

/**
 * The ReembedCollection call: the chunks that have no new vector, batch by batch, then the switch. What is embedded stays
 * when the call ends early, and the next call with the same model goes on from there.
 */
export async function* reembed(
  ports: CorpusPorts,
  call: Call,
  request: ReembedCollectionRequest,
): AsyncGenerator<ReembedCollectionResponse, void, undefined> {
  const report = new CallReport(ports, call);
  try {
    report.trace.run(Stage.VALIDATE, () => checkMessage(ReembedCollectionRequestSchema, request));
    report.attribution = request.attribution;
    await ports.budgets.admit(report.payer);
    const collection = await findCollection(ports, call, request.collection);
    const target = ports.embeddingModels.resolve(request.embeddingModel);
    const { alias } = target;
    report.asked = { target: { alias, synthetic: false }, key: `${collection.tenant}/${collection.name}/${alias}` };
    const charges = new Charges(ports, report.payer);
    report.charges = charges;
    const defer = (ended: Promise<void>) => report.deferUntil(ended);
    const event = (progress: Progress, done: boolean) => {
      const { usage, costNanoUsd } = charges.total();
      const { embeddedChunks, totalChunks } = progress;
      return create(ReembedCollectionResponseSchema, {
        ...{ usage, costNanoUsd, done, callId: call.id },
        ...{ embeddedChunks: BigInt(embeddedChunks), totalChunks: BigInt(totalChunks) },
      });
    };
    let last: Progress = { embeddedChunks: collection.chunkCount, totalChunks: collection.chunkCount };
    for await (const progress of work(ports, { call, collection, target, charges, defer })) {
      last = progress;
      yield event(progress, false);
    }
    const { usage, costNanoUsd } = charges.total();
    await report.finished({ usage, costNanoUsd, model: alias, synthetic: false });
    yield event({ ...last, embeddedChunks: last.totalChunks }, true);
  } catch (error) {
    throw await report.failed(error);
  } finally {
    await report.abandoned();
  }
}

/** Tells how far it is, a few times a second; ends when the collection answers by the new vectors. */
async function* work(ports: CorpusPorts, job: Work): AsyncGenerator<Progress, void, undefined> {
  const { clock, corpus } = ports;
  const { call, collection, target } = job;
  const { tenant, name } = collection;
  const { alias: embeddingModel, dimension, maxBatchTexts } = target;
  if (collection.embeddingModel === embeddingModel && collection.dimension === dimension) return;
  const limit = Math.min(maxBatchTexts * REQUESTS_A_BATCH, MAX_BATCH_CHUNKS);
  let toldMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    call.signal.throwIfAborted();
    const batch = await corpus.reembedBatch(tenant, name, { embeddingModel, dimension }, limit, call.signal);
    const isDue = clock.monotonicMs() - toldMs >= PROGRESS_INTERVAL_MS;
    if (isDue || batch.chunks.length === 0) {
      toldMs = clock.monotonicMs();
      yield batch;
    }
    if (batch.chunks.length > 0) {
      await embedBatch(ports, job, batch);
      continue;
    }
    if (await corpus.finishReembedding(tenant, name, embeddingModel, call.signal)) return;
    await clock.sleep(RETRY_SWITCH_MS, call.signal);
  }
}

async function embedBatch(ports: CorpusPorts, job: Work, { chunks, token }: ReembedBatch): Promise<void> {
  const { call, collection, target, charges, defer } = job;
  const fits = fitsModel(ports.counter, target);
  const { vectors } = await embedTexts(ports, {
    ...{ call, charges, target, signal: call.signal, deadline: call.deadline, defer },
    texts: chunks.map((chunk) => embeddedText(chunk, fits)),
    policy: cachePolicy(undefined, ports.vectorTtlMs),
    fieldOf: (index) => `${chunks[index]?.documentId}#${chunks[index]?.ordinal}`,
  });
  const { tenant, name } = collection;
  await ports.corpus.storeReembedded(tenant, name, { token, chunks, vectors }, call.signal);
}
