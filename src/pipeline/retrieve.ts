import { createHash } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { Stage } from "../../gen/sluice/v1/error_detail_pb.ts";
import {
  type RetrieveRequest,
  RetrieveRequestSchema,
  type RetrieveResponse,
  RetrieveResponseSchema,
} from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Call } from "../core/call.ts";
import { invalidRequest } from "../core/failure.ts";
import { cachePolicy } from "./cache.ts";
import { Charges } from "./charge.ts";
import { CallReport } from "./report.ts";
import { type FindChunksPorts, findChunks, findCollection } from "./retrieve/find-chunks.ts";
import { type RetrievalPlan, readPlan } from "./retrieve/plan.ts";
import { checkMessage } from "./validate.ts";

export type RetrievePorts = FindChunksPorts;

/** The Retrieve call: validate → embed the query → search → charge, report. */
export async function retrieve(ports: RetrievePorts, call: Call, request: RetrieveRequest): Promise<RetrieveResponse> {
  const report = new CallReport(ports, call);
  const { trace } = report;
  try {
    const plan = trace.run(Stage.VALIDATE, () => validPlan(request));
    report.attribution = request.attribution;
    await ports.budgets.admit(report.payer);
    const policy = cachePolicy(undefined, ports.vectorTtlMs);
    const charges = new Charges(ports, report.payer);
    report.charges = charges;
    const defer = (ended: Promise<void>) => report.deferUntil(ended);
    const found = await trace.await(Stage.RETRIEVE, async () => {
      const collection = await findCollection(ports, call, plan.collection);
      const { embeddingModel: alias } = collection;
      report.asked = { target: { alias, synthetic: false }, key: hashOf(call.caller.tenant, plan) };
      return { ...(await findChunks(ports, { call, charges, policy, defer }, plan, collection)), alias };
    });
    const { usage, costNanoUsd } = charges.total();
    const { alias } = found;
    await report.finished({ usage, costNanoUsd, model: alias, synthetic: false });
    return create(RetrieveResponseSchema, {
      chunks: [...found.chunks],
      corpusVersion: found.corpusVersion,
      embeddingModel: alias,
      usage,
      costNanoUsd,
      callId: call.id,
    });
  } catch (error) {
    throw await report.failed(error);
  } finally {
    await report.abandoned();
  }
}

function validPlan(request: RetrieveRequest): RetrievalPlan {
  checkMessage(RetrieveRequestSchema, request);
  if (!request.retrieval) throw invalidRequest("retrieval", "required", "value is required");
  return readPlan(request.retrieval, "retrieval");
}

/** Of what is asked; the ledger gets a keyed hash of it. */
function hashOf(tenant: string, plan: RetrievalPlan): string {
  return createHash("sha256")
    .update(JSON.stringify([tenant, plan]))
    .digest("hex");
}
