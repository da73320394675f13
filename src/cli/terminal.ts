import type { Readable } from "node:stream";

/** What a command writes to. A terminal shows text as it comes; anything else gets it whole. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** What a command is given of the process it runs in, so that tests can run commands in theirs. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Exit codes: scripts branch on them. */
export const exitCode = {
  ok: 0,
  /** It failed, and trying again will not mend it. */
  failure: 1,
  /** What was asked is wrong: an option, a variable, a name, the configuration. */
  usage: 2,
  /** It may succeed later. */
  retryLater: 3,
} as const;

/** A message for the person at the terminal: printed as it is, without a stack. */
export class UserError extends Error {
  readonly exitCode: number;

  constructor(message: string, code: number = exitCode.usage, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "UserError";
    this.exitCode = code;
  }
}

const CONTROLS = /[^\P{Cc}\n\t]/gu;
const CONTROLS_AND_DIRECTIONS = /[^\P{Cc}\n\t]|[\p{Bidi_Control}\u2028\u2029]/gu;

/**
 * Text from elsewhere as a terminal may show it: control characters, which could move the cursor, change the title or
 * answer for the keyboard, become U+FFFD, and so do marks of direction, which could show a name as another one, and
 * separators of lines that not every terminal breaks at. Line breaks and tabs stay.
 */
export function printable(text: string): string {
  return text.replace(CONTROLS_AND_DIRECTIONS, "\uFFFD");
}

/** The same for prose, which is written in every script: its marks of direction stay. */
export function printableProse(text: string): string {
  return text.replace(CONTROLS, "\uFFFD");
}

/** The same for JSON that a program may read as well: nothing is lost, since what is not printable is escaped. */
export function printableJson(json: string): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return json.replace(CONTROLS_AND_DIRECTIONS, escaped);
}
