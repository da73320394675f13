import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { DocumentInputSchema } from "../../../gen/sluice/v1/corpus_pb.ts";
import { errorCode } from "../../core/error-code.ts";
import { grouped } from "../usage-money.ts";
import type { FoundFile, Walked } from "./walk.ts";

/** The contract's limit of one document. */
const MAX_DOCUMENT_BYTES = 4_194_304;
/** Small enough that progress is seen and little is lost, large enough that requests to the model are full. */
const MAX_BATCH_BYTES = 524_288;
const MAX_BATCH_DOCUMENTS = 32;

/** A file that was read. */
export interface ReadFile extends FoundFile {
  readonly content: MessageInitShape<typeof DocumentInputSchema>["content"];
}

/** What becomes of files that are not sent. */
export interface Refusals {
  failed(file: FoundFile, why: string): void;
  binary(file: FoundFile): void;
}

/** Reads files in their order and gathers them into batches. No more than one batch is held here. */
export async function* readBatches(walked: Walked, refusals: Refusals): AsyncGenerator<readonly ReadFile[]> {
  let batch: ReadFile[] = [];
  let bytes = 0;
  for (const file of walked.files) {
    const read = await readOne(walked.root, file, refusals);
    if (!read) continue;
    const isFull = batch.length >= MAX_BATCH_DOCUMENTS || bytes + file.bytes > MAX_BATCH_BYTES;
    if (batch.length > 0 && isFull) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(read);
    bytes += file.bytes;
  }
  if (batch.length > 0) yield batch;
}

async function readOne(root: string, file: FoundFile, { failed, binary }: Refusals): Promise<ReadFile | undefined> {
  const tooLarge = (bytes: number) =>
    failed(file, `has ${grouped(BigInt(bytes))} bytes; a document has at most ${grouped(BigInt(MAX_DOCUMENT_BYTES))}`);
  // Before it is read: it may be larger than the memory.
  if (file.bytes > MAX_DOCUMENT_BYTES) return void tooLarge(file.bytes);
  let bytes: Buffer;
  try {
    bytes = await readFile(join(root, file.path));
  } catch (error) {
    return void failed(file, `cannot be read (${errorCode(error)})`);
  }
  if (bytes.length > MAX_DOCUMENT_BYTES) return void tooLarge(bytes.length);
  const { kind } = file;
  if (kind === "pdf") return { ...file, content: { case: kind, value: new Uint8Array(bytes) } };
  if (bytes.includes(0)) return void binary(file);
  try {
    return { ...file, content: { case: kind, value: new TextDecoder("utf-8", { fatal: true }).decode(bytes) } };
  } catch {
    return void failed(file, "is not UTF-8 text");
  }
}
