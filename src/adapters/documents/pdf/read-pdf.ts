import { getResolvedPDFJS } from "unpdf";
import { UnreadableDocumentError } from "../../../core/documents.ts";
import { cleanText } from "../clean-text.ts";
import { MAX_PDF_PAGES, MAX_TEXT_BYTES, textTooLarge } from "../limits.ts";
import type { Outline } from "../outline.ts";
import { outlineOfPlainText } from "../plain-text.ts";
import { mendHyphens } from "./mend-hyphens.ts";
import { PageLines } from "./page-lines.ts";

type PdfJs = Awaited<ReturnType<typeof getResolvedPDFJS>>;
type Pdf = Awaited<ReturnType<PdfJs["getDocument"]>["promise"]>;

/** The mark of the end must be near the end; readers of PDF look there, too. */
const TAIL_BYTES = 2048;

/**
 * The text of a PDF, page by page, in the order in which it was drawn. Nothing is fetched and nothing is drawn.
 *
 * @throws UnreadableDocumentError "broken" also where only a part can be read: what is cut off would be missed silently
 */
export async function outlineOfPdf(bytes: Uint8Array): Promise<Outline> {
  const tail = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(-TAIL_BYTES).toString("latin1");
  if (!tail.includes("%%EOF")) throw broken("it is no PDF, or its end is missing");
  const { getDocument, VerbosityLevel } = await getResolvedPDFJS();
  const task = getDocument({
    // Its own view: the library takes no Buffer.
    data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    verbosity: VerbosityLevel.ERRORS,
    stopAtErrors: true,
    useSystemFonts: false,
    disableFontFace: true,
    useWorkerFetch: false,
    useWasm: false,
    enableXfa: false,
    isOffscreenCanvasSupported: false,
    isImageDecoderSupported: false,
  });
  try {
    const pdf = await task.promise;
    if (pdf.numPages > MAX_PDF_PAGES)
      throw new UnreadableDocumentError("too_large", `the PDF has more than ${MAX_PDF_PAGES} pages`);
    const text = mendHyphens(cleanText(await textOfPages(pdf)));
    return outlineOfPlainText(text, await titleOf(pdf));
  } catch (error) {
    if (error instanceof UnreadableDocumentError) throw error;
    if (error instanceof Error && error.name === "PasswordException") throw broken("it asks for a password");
    throw broken("its structure is damaged");
  } finally {
    await task.destroy().catch(() => {});
  }
}

async function textOfPages(pdf: Pdf): Promise<string> {
  const pages: string[] = [];
  let length = 0;
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number);
    const lines = new PageLines();
    const reader = page.streamTextContent().getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      for (const item of part.value.items) {
        if (!("str" in item)) continue;
        length += item.str.length + 1;
        if (length > MAX_TEXT_BYTES) throw textTooLarge();
        lines.add(item);
      }
    }
    const text = lines.text();
    if (text !== "") pages.push(text);
    page.cleanup();
  }
  return pages.join("\n\n");
}

async function titleOf(pdf: Pdf): Promise<string> {
  const { info, metadata } = await pdf.getMetadata();
  const own = "Title" in info ? info.Title : undefined;
  const title = typeof own === "string" && own.trim() !== "" ? own : metadata?.get("dc:title");
  return typeof title === "string" ? title : "";
}

function broken(why: string): UnreadableDocumentError {
  return new UnreadableDocumentError("broken", `the PDF cannot be read: ${why}`);
}
