import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type DeleteDocumentsRequest,
  DeleteDocumentsRequestSchema,
  type DeleteDocumentsResponseSchema,
  type GetDocumentRequest,
  GetDocumentRequestSchema,
  type GetDocumentResponseSchema,
  type ListDocumentsRequest,
  ListDocumentsRequestSchema,
  type ListDocumentsResponseSchema,
} from "../../../gen/sluice/v1/corpus_service_pb.ts";
import type { Call } from "../../core/call.ts";
import type { CorpusStore } from "../../core/corpus.ts";
import { checkMessage } from "../../pipeline/validate.ts";
import { documentTokenOf, readDocumentToken } from "./document-token.ts";
import { documentMessage } from "./messages.ts";
import { mustBeStorable } from "./store-text.ts";

const DEFAULT_PAGE_SIZE = 100;

/** CorpusService.GetDocument. */
export async function getDocument(
  corpus: CorpusStore,
  { caller, signal }: Call,
  request: GetDocumentRequest,
): Promise<MessageInitShape<typeof GetDocumentResponseSchema>> {
  checkMessage(GetDocumentRequestSchema, request);
  const { collection, documentId } = request;
  mustBeStorable({ document_id: documentId });
  const document = await corpus.document(caller.tenant, collection, documentId, signal);
  return { document: { ...documentMessage(document), text: document.text } };
}

/** CorpusService.DeleteDocuments. */
export async function deleteDocuments(
  corpus: CorpusStore,
  { caller, signal }: Call,
  request: DeleteDocumentsRequest,
): Promise<MessageInitShape<typeof DeleteDocumentsResponseSchema>> {
  checkMessage(DeleteDocumentsRequestSchema, request);
  const { collection, documentIds } = request;
  mustBeStorable(Object.fromEntries(documentIds.map((id, index) => [`document_ids[${index}]`, id])));
  const ids = [...new Set(documentIds)];
  const { deletedIds, corpusVersion } = await corpus.deleteDocuments(caller.tenant, collection, ids, signal);
  return { deletedIds: [...deletedIds], corpusVersion };
}

/** CorpusService.ListDocuments. */
export async function listDocuments(
  corpus: CorpusStore,
  { caller, signal }: Call,
  request: ListDocumentsRequest,
): Promise<MessageInitShape<typeof ListDocumentsResponseSchema>> {
  checkMessage(ListDocumentsRequestSchema, request);
  mustBeStorable({ id_prefix: request.idPrefix });
  const { tenant } = caller;
  const after = readDocumentToken(request, tenant);
  const size = request.pageSize || DEFAULT_PAGE_SIZE;
  // One more than is shown tells whether there is another page.
  const page = { after, prefix: request.idPrefix, limit: size + 1 };
  const found = await corpus.documents(tenant, request.collection, page, signal);
  const documents = found.slice(0, size);
  const last = found.length > size ? documents.at(-1) : undefined;
  return {
    documents: documents.map(documentMessage),
    nextPageToken: last ? documentTokenOf(request, tenant, last.id) : "",
  };
}
