import { type Fence, fences } from "./fences.ts";

/** A command of the documentation that a test runs, and what the documentation says it prints. */
export interface DocumentedCommand {
  /** The shell script. */
  script: string;
  /** The line of its opening fence, from 1. */
  line: number;
  /** The test tiers it needs, such as "curl". */
  tiers: string[];
  /** Its documented output with `…` where anything may stand, or undefined where none is documented. */
  output: string | undefined;
}

/**
 * The commands of a Markdown text that are to be run: blocks that open with "```sh run", or with "```sh run curl" where
 * they need a tier. The block after one, where it opens with "```text output" (or any language), is what it prints.
 * Other blocks are for reading. Throws for an output without its command.
 */
export function documentedCommands(markdown: string): DocumentedCommand[] {
  const blocks = fences(markdown);
  return blocks.flatMap((block, index) => {
    const before = blocks[index - 1];
    if (isOutput(block) && !(before && isCommand(before))) {
      throw new Error(`the output of line ${block.line} follows no command that is run`);
    }
    if (!isCommand(block)) return [];
    const after = blocks[index + 1];
    const output = after && isOutput(after) ? after.text : undefined;
    return [{ script: block.text, line: block.line, tiers: block.words.slice(1), output }];
  });
}

function isCommand({ language, words }: Fence): boolean {
  return language === "sh" && words[0] === "run";
}

function isOutput({ words }: Fence): boolean {
  return words[0] === "output";
}

/**
 * Whether a program printed what is documented. `…` stands for any text within a line, and alone on a line for any
 * number of lines. Blanks at the ends of lines and of the whole do not count.
 */
export function printsAsDocumented(printed: string, documented: string): boolean {
  const lines = trimmedLines(documented).map((line) =>
    line.trim() === "…" ? "(?:[^\\n]*\\n)*" : `${line.split("…").map(escapeRegExp).join("[^\\n]*")}\\n`,
  );
  return new RegExp(`^${lines.join("")}$`).test(`${trimmedLines(printed).join("\n")}\n`);
}

function trimmedLines(text: string): string[] {
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.trimEnd());
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
