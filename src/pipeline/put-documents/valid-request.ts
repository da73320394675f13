import type { DocumentInput } from "../../../gen/sluice/v1/corpus_pb.ts";
import { type PutDocumentsRequest, PutDocumentsRequestSchema } from "../../../gen/sluice/v1/corpus_service_pb.ts";
import type { DocumentContent } from "../../core/documents.ts";
import { type FieldViolation, SluiceError } from "../../core/failure.ts";
import { checkMessage } from "../validate.ts";
import { metadataViolations } from "./valid-metadata.ts";

const MAX_VIOLATIONS = 16;

/**
 * Checks what the proto says, and what it cannot say.
 * @throws SluiceError INVALID_REQUEST with at most 16 violations.
 */
export function checkRequest(request: PutDocumentsRequest): void {
  checkMessage(PutDocumentsRequestSchema, request);
  const violations: FieldViolation[] = [];
  for (const [index, document] of request.documents.entries()) {
    violations.push(...documentViolations(document, `documents[${index}]`));
    if (violations.length >= MAX_VIOLATIONS) break;
  }
  if (violations.length === 0) return;
  throw new SluiceError({ reason: "INVALID_REQUEST", violations: violations.slice(0, MAX_VIOLATIONS) });
}

/** The content of a document of a checked request. */
export function contentOf({ content }: DocumentInput): DocumentContent {
  switch (content.case) {
    case "text":
    case "markdown":
    case "html":
      return { kind: content.case, text: content.value };
    case "pdf":
      return { kind: "pdf", bytes: content.value };
    default:
      throw new Error("a document without content passed its check");
  }
}

function documentViolations({ id, title, metadata }: DocumentInput, field: string): FieldViolation[] {
  const broken = Object.entries({ id, title }).filter(([, text]) => !text.isWellFormed());
  return [
    ...broken.map(([name]) => ({
      field: `${field}.${name}`,
      rule: "string.well_formed",
      description: "must not contain half of a surrogate pair",
    })),
    ...(metadata ? metadataViolations(metadata, `${field}.metadata`) : []),
  ];
}
