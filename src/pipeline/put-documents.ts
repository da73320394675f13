import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import {
  type PutDocumentsRequest,
  type PutDocumentsResponse,
  PutDocumentsResponseSchema,
  PutStatus,
} from "../../gen/sluice/v1/corpus_service_pb.ts";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import type { Call } from "../core/call.ts";
import type { CorpusStore, StoredCollection, StoredDocument } from "../core/corpus.ts";
import type { DocumentReader } from "../core/documents.ts";
import { cachePolicy } from "./cache.ts";
import { Charges } from "./charge.ts";
import { embedKeyed, keysOf } from "./embed/texts.ts";
import type { EmbedJob, EmbedPorts } from "./embed.ts";
import { chunkTexts } from "./put-documents/chunk-texts.ts";
import { type ChosenSettings, chooseSettings, mustBeAsChosen } from "./put-documents/collection.ts";
import { contentHash } from "./put-documents/content-hash.ts";
import { countedUsage, priceTexts } from "./put-documents/price-texts.ts";
import { type ChangedAndRead, type ChangedDocument, readDocuments } from "./put-documents/read-documents.ts";
import { storeDocuments } from "./put-documents/store-documents.ts";
import { checkRequest, contentOf } from "./put-documents/valid-request.ts";
import { CallReport } from "./report.ts";

export interface CorpusPorts extends EmbedPorts {
  readonly corpus: CorpusStore;
  readonly documents: DocumentReader;
}

/** A request, and what was found out before anything was read. */
interface Planned {
  readonly call: Call;
  readonly request: PutDocumentsRequest;
  readonly report: CallReport;
  readonly existing: StoredCollection | undefined;
  readonly chosen: ChosenSettings;
  readonly stored: ReadonlyMap<string, Pick<StoredDocument, "contentHash" | "textBytes" | "chunkCount">>;
  readonly changed: readonly ChangedDocument[];
}

type Answer = Pick<PutDocumentsResponse, "usage" | "costNanoUsd" | "corpusVersion"> & {
  readonly documents: readonly ChangedAndRead[];
  /** Whether each of them was there before. */
  readonly replaced: readonly boolean[];
};

/** The PutDocuments call: validate → leave out what is unchanged → read and cut → embed → store → charge, report. */
export async function putDocuments(
  ports: CorpusPorts,
  call: Call,
  request: PutDocumentsRequest,
): Promise<PutDocumentsResponse> {
  const report = new CallReport(ports, call);
  const { trace } = report;
  try {
    trace.run(Stage.VALIDATE, () => checkRequest(request));
    report.attribution = request.attribution;
    await ports.budgets.admit(report.payer);
    const planned = await plan(ports, call, request, report);
    const documents = await trace.await(Stage.BUILD_CONTEXT, () =>
      readDocuments(ports.documents, planned.changed, call.signal),
    );
    const answer = await (request.dryRun ? estimated(ports, planned, documents) : stored(ports, planned, documents));
    const { usage, costNanoUsd, corpusVersion } = answer;
    const { alias: model } = planned.chosen.target;
    // A dry run costs nothing, whatever it says.
    const paid = request.dryRun ? { usage: undefined, costNanoUsd: 0n } : { usage, costNanoUsd };
    await report.finished({ ...paid, model, synthetic: false });
    const results = resultsOf(planned, answer);
    return create(PutDocumentsResponseSchema, {
      ...{ results, usage, costNanoUsd, corpusVersion, callId: call.id, embeddingModel: model },
    });
  } catch (error) {
    throw await report.failed(error);
  } finally {
    await report.abandoned();
  }
}

async function plan(
  { corpus, embeddingModels }: CorpusPorts,
  call: Call,
  request: PutDocumentsRequest,
  report: CallReport,
): Promise<Planned> {
  const { tenant } = call.caller;
  const { collection, documents } = request;
  const existing = await corpus.collection(tenant, collection, call.signal);
  const chosen = chooseSettings(embeddingModels, request, existing);
  const hashed = documents.map((input, index): ChangedDocument => {
    return { input, index, contentHash: contentHash(contentOf(input), input.title, input.metadata ?? {}) };
  });
  const { alias } = chosen.target;
  report.asked = { target: { alias, synthetic: false }, key: inputHash(tenant, collection, hashed) };
  const ids = documents.map(({ id }) => id);
  const stored: Planned["stored"] = existing
    ? await corpus.summaries(tenant, collection, ids, call.signal)
    : new Map<string, never>();
  const changed = hashed.filter((document) => stored.get(document.input.id)?.contentHash !== document.contentHash);
  return { call, request, report, existing, chosen, stored, changed };
}

/** What a dry run says: the same but for what is cached, which a real one does not pay. */
async function estimated(
  ports: CorpusPorts,
  { call, chosen, stored }: Planned,
  documents: readonly ChangedAndRead[],
): Promise<Answer> {
  const texts = await chunkTexts(ports.counter, chosen.target, documents, call.signal);
  const { usage, costNanoUsd } = await priceTexts(ports, chosen.target, texts, call.signal);
  const replaced = documents.map(({ input }) => stored.has(input.id));
  return { documents, replaced, corpusVersion: "", usage, costNanoUsd };
}

/** Embeds everything, and only then stores the first. */
async function stored(
  ports: CorpusPorts,
  { call, request, report, existing, chosen }: Planned,
  documents: readonly ChangedAndRead[],
): Promise<Answer> {
  const { tenant } = call.caller;
  const { target, settings } = chosen;
  const charges = new Charges(ports, report.payer);
  report.charges = charges;
  const texts = await chunkTexts(ports.counter, target, documents, call.signal);
  const job: EmbedJob = {
    ...{ call, charges, target, signal: call.signal, deadline: call.deadline },
    texts: texts.map(({ text }) => text),
    policy: cachePolicy(undefined, ports.vectorTtlMs),
    fieldOf: (index) => texts[index]?.field ?? "documents",
    defer: (ended) => report.deferUntil(ended),
  };
  const { vectors, madeTokens } = await report.trace.await(Stage.CALL_MODEL, async () =>
    texts.length === 0 ? { vectors: [], madeTokens: 0 } : await embedKeyed(ports, job, keysOf(job)),
  );
  call.signal.throwIfAborted();
  const { collection } = request;
  const made = existing ?? (await ports.corpus.ensureCollection(tenant, collection, settings, call.signal));
  mustBeAsChosen(made, chosen);
  const place = { tenant, collection, embeddingModel: target.alias };
  const { replaced, corpusVersion } = await storeDocuments(ports.corpus, place, documents, vectors, call.signal);
  const charged = charges.total();
  const usage = target.isBuiltIn ? countedUsage(madeTokens) : charged.usage;
  const { costNanoUsd } = charged;
  return { documents, replaced, corpusVersion: corpusVersion ?? made.corpusVersion, usage, costNanoUsd };
}

function resultsOf({ request, stored }: Planned, { documents, replaced }: Answer) {
  const done = new Map(
    documents.map(({ index, read }, place) => [
      index,
      {
        status: replaced[place] ? PutStatus.UPDATED : PutStatus.CREATED,
        chunkCount: read.chunks.length,
        textBytes: BigInt(Buffer.byteLength(read.text)),
      },
    ]),
  );
  return request.documents.map(({ id }, index) => {
    const { chunkCount = 0, textBytes = 0 } = stored.get(id) ?? {};
    const unchanged = { status: PutStatus.UNCHANGED, chunkCount, textBytes: BigInt(textBytes) };
    return { documentId: id, ...(done.get(index) ?? unchanged) };
  });
}

/** Of what is put; the ledger gets a keyed hash of it. */
function inputHash(tenant: string, collection: string, documents: readonly ChangedDocument[]): string {
  const parts = [tenant, collection, ...documents.map(({ input, contentHash }) => [input.id, contentHash])];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
