import { isMessage } from "@bufbuild/protobuf";
import { BadRequestSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { ContextOverflowDetailSchema } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { RemoteFailure } from "../../rpc/client.ts";

/**
 * The documents of a batch that a failure names, by their places, each with what is wrong with it; empty where it is about
 * none of them.
 */
export function badDocuments({ reason, details }: RemoteFailure): ReadonlyMap<number, string> {
  const bad = new Map<number, string>();
  const add = (field: string, why: string) => {
    const index = /^documents\[(\d+)\]/.exec(field)?.[1];
    if (index !== undefined && !bad.has(Number(index))) bad.set(Number(index), why);
  };
  for (const detail of details) {
    if (reason === "INVALID_REQUEST" && isMessage(detail, BadRequestSchema)) {
      for (const { field, reason: rule, description } of detail.fieldViolations) {
        add(field, rule === "" ? description : `${description} (${rule})`);
      }
    }
    if (reason === "CONTEXT_OVERFLOW" && isMessage(detail, ContextOverflowDetailSchema)) {
      add(detail.largestPart, `a piece of it has ${detail.largestPartTokens} tokens, more than the model takes`);
    }
  }
  return bad;
}
