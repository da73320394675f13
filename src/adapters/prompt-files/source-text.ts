import type { ProblemReport } from "./problems.ts";

/** Limit of one prompt file. */
export const MAX_FILE_BYTES = 262_144;

/** Limit of its front matter: the YAML parser compares all keys of a mapping with each other. */
const MAX_FRONT_MATTER_CHARACTERS = 65_536;

const FENCE = "---";

/** A prompt file, cut into its two parts. Lines are without their line ends. */
export interface SourceParts {
  readonly frontMatter: string;
  /** Line of the file on which the front matter begins. */
  readonly frontMatterLine: number;
  readonly bodyLines: readonly string[];
  /** Line of the file on which the body begins. */
  readonly bodyLine: number;
}

/** The text of a file, or nothing and a problem: too large, not UTF-8, or with a NUL in it. */
export function decodeSource(bytes: Uint8Array, report: ProblemReport): string | undefined {
  if (bytes.length > MAX_FILE_BYTES) {
    report.add("file_size", `the file has ${bytes.length} bytes; at most ${MAX_FILE_BYTES} are allowed`);
    return undefined;
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    report.add("encoding", "the file is not valid UTF-8");
    return undefined;
  }
  const nul = text.indexOf("\0");
  if (nul >= 0) {
    report.add("encoding", "the file contains a NUL character", text.slice(0, nul).split("\n").length);
    return undefined;
  }
  return text;
}

/** Cuts a file into front matter and body. CRLF counts as LF. */
export function splitSource(text: string, report: ProblemReport): SourceParts | undefined {
  const lines = text.split(/\r?\n/);
  if (lines[0] !== FENCE) {
    report.add("front_matter", `the first line must be exactly ${FENCE}, the beginning of the front matter`, 1);
    return undefined;
  }
  const end = lines.indexOf(FENCE, 1);
  if (end < 0) {
    report.add("front_matter", `the front matter is not closed by a line that is exactly ${FENCE}`, 1);
    return undefined;
  }
  const frontMatter = lines.slice(1, end).join("\n");
  if (frontMatter.length > MAX_FRONT_MATTER_CHARACTERS) {
    report.add("front_matter_size", `the front matter may have at most ${MAX_FRONT_MATTER_CHARACTERS} characters`, 1);
    return undefined;
  }
  return { frontMatter, frontMatterLine: 2, bodyLines: lines.slice(end + 1), bodyLine: end + 2 };
}
