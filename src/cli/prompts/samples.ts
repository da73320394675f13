import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PromptFileProblem } from "../../adapters/prompt-files/index.ts";
import { errorCode } from "../../core/error-code.ts";
import type { PromptChunk } from "../../core/prompt.ts";

/** A filled-in call of a prompt, kept beside it: `samples/<sample>.json` with `variables` and perhaps `context`. */
export interface Sample {
  readonly file: string;
  readonly name: string;
  readonly variablesText: string;
  readonly chunks: readonly PromptChunk[];
}

export interface SampleFolder {
  readonly dir: string;
  readonly samples: readonly Sample[];
  /** File names of golden texts, `<sample>.<version>.golden.txt`. */
  readonly goldens: readonly string[];
  readonly problems: readonly PromptFileProblem[];
}

const SAMPLE_FILE = /^([a-z0-9][a-z0-9-]*)\.json$/;

/** Reads the samples of a prompt. A prompt without the folder has none. */
export async function readSamples(promptsDir: string, promptName: string): Promise<SampleFolder> {
  const dir = join(promptsDir, promptName, "samples");
  const names = (await namesIn(dir)).sort();
  const samples: Sample[] = [];
  const problems: PromptFileProblem[] = [];
  for (const fileName of names.filter((name) => name.endsWith(".json"))) {
    const file = join(dir, fileName);
    const name = SAMPLE_FILE.exec(fileName)?.[1];
    const sample =
      name === undefined ? "its name may have lower-case letters, digits and hyphens" : await read(file, name);
    if (typeof sample === "string") problems.push({ file, rule: "sample", message: sample });
    else samples.push(sample);
  }
  return { dir, samples, goldens: names.filter((name) => name.endsWith(".golden.txt")), problems };
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** The sample, or a sentence that says why it is none. */
async function read(file: string, name: string): Promise<Sample | string> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    return `is not valid JSON: ${error instanceof Error ? error.message.slice(0, 200) : ""}`;
  }
  const shape = "a sample is an object with variables (an object) and perhaps context (a list of {id, text})";
  if (!isObject(content)) return shape;
  const { variables, context = [], ...others } = content;
  const chunks = readChunks(context);
  if (!isObject(variables) || !chunks || Object.keys(others).length > 0) return shape;
  return { file, name, variablesText: JSON.stringify(variables), chunks };
}

/** Chunks as a sample or the command line give them; nothing where the value is not a list of `{id, text}`. */
export function readChunks(value: unknown): readonly PromptChunk[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const chunks: PromptChunk[] = [];
  for (const chunk of value) {
    if (!isObject(chunk) || typeof chunk.id !== "string" || typeof chunk.text !== "string") return undefined;
    chunks.push({ id: chunk.id, text: chunk.text });
  }
  return chunks;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
