/** A line of a page: where it stands, and what it says (Latin letters only). */
export interface PdfLine {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface SmallPdf {
  readonly pages: readonly (readonly PdfLine[])[];
  readonly title?: string;
  /** The content of every page in place of its lines, as it is. */
  readonly stream?: Uint8Array;
  /** Of `stream`, such as /FlateDecode. */
  readonly filter?: string;
  /** Of the pages. Text beyond it is not read. Default 600. */
  readonly width?: number;
  /** More entries of the trailer. */
  readonly trailer?: string;
  /** More objects, in place of a number each: `9 0 obj` is the first. */
  readonly extraObjects?: readonly string[];
}

/** Writes a PDF with a table of its objects, as the standard says; only as much of it as text needs. */
export function smallPdf({
  pages,
  title,
  stream,
  filter,
  width = 600,
  trailer = "",
  extraObjects = [],
}: SmallPdf): Uint8Array {
  const pageIds = pages.map((_, index) => 4 + index * 2);
  const objects: (string | Buffer)[] = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    `<< /Type /Pages /Kids [${pageIds.map((id) => `${id} 0 R`).join(" ")}] /Count ${pages.length} >>`,
    "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
  ];
  for (const [index, lines] of pages.entries()) {
    const content = stream ?? Buffer.from(lines.map(drawLine).join("\n"), "latin1");
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${width} 800] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + index * 2} 0 R >>`,
      Buffer.concat([
        Buffer.from(`<< /Length ${content.length} ${filter ? `/Filter ${filter}` : ""} >>\nstream\n`),
        content,
        Buffer.from("\nendstream"),
      ]),
    );
  }
  objects.push(...extraObjects);
  const info = title === undefined ? "" : `/Info << /Title (${title}) >>`;
  return assemble(objects, `/Root 1 0 R ${info} ${trailer}`);
}

function drawLine({ x, y, text }: PdfLine): string {
  return `BT /F1 12 Tf 1 0 0 1 ${x} ${y} Tm (${text.replace(/[()\\]/g, "\\$&")}) Tj ET`;
}

function assemble(objects: readonly (string | Buffer)[], trailer: string): Uint8Array {
  const parts: Buffer[] = [Buffer.from("%PDF-1.4\n")];
  let length = parts[0]?.length ?? 0;
  const offsets: number[] = [];
  const add = (bytes: Buffer) => {
    parts.push(bytes);
    length += bytes.length;
  };
  objects.forEach((object, index) => {
    offsets.push(length);
    add(Buffer.concat([Buffer.from(`${index + 1} 0 obj\n`), Buffer.from(object), Buffer.from("\nendobj\n")]));
  });
  const start = length;
  const rows = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  add(Buffer.from(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${rows}`));
  add(Buffer.from(`trailer\n<< /Size ${objects.length + 1} ${trailer} >>\nstartxref\n${start}\n%%EOF\n`));
  return new Uint8Array(Buffer.concat(parts));
}
