import { createHash } from "node:crypto";
import type { ListDocumentsRequest } from "../../../gen/sluice/v1/corpus_service_pb.ts";
import { invalidRequest } from "../../core/failure.ts";

/** Tokens of another format are refused rather than misread. */
const FORMAT = 1;
const MAX_ID_BYTES = 200;

type Question = Pick<ListDocumentsRequest, "collection" | "idPrefix">;

/**
 * An opaque token that says after which document the next page begins, so that it stays true when documents come and go.
 * It holds only for the same question by the same tenant.
 */
export function documentTokenOf(question: Question, tenant: string, after: string): string {
  return encode([FORMAT, questionHash(question, tenant), after]);
}

/**
 * The id after which the page begins; empty for the first page.
 * @throws SluiceError INVALID_REQUEST for `page_token`, where it is none of ours or of another question.
 */
export function readDocumentToken(request: Question & { readonly pageToken: string }, tenant: string): string {
  if (request.pageToken === "") return "";
  const [format, question, after] = decode(request.pageToken) ?? [];
  if (format !== FORMAT || typeof after !== "string" || !isId(after)) {
    throw refused("must be a next_page_token as it was given, or empty");
  }
  if (question !== questionHash(request, tenant)) {
    throw refused("is of another request; all other fields must be as they were, except page_size");
  }
  return after;
}

/** Tokens are not signed: one that was written by its caller must not bring the store what a request may not bring. */
function isId(text: string): boolean {
  return text !== "" && !text.includes("\0") && text.isWellFormed() && Buffer.byteLength(text) <= MAX_ID_BYTES;
}

function questionHash({ collection, idPrefix }: Question, tenant: string): string {
  const question = JSON.stringify([tenant, collection, idPrefix]);
  return createHash("sha256").update(question).digest("base64url").slice(0, 22);
}

function encode(parts: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

function decode(token: string): readonly unknown[] | undefined {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, "base64url").toString());
    return Array.isArray(parts) && encode(parts) === token ? parts : undefined;
  } catch {
    return undefined;
  }
}

function refused(description: string) {
  return invalidRequest("page_token", "page_token", description);
}
