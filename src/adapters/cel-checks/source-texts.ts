import type { CheckFacts } from "../../core/semantic-check.ts";
import { BudgetExceeded } from "./budget.ts";
import { containsText } from "./text-search.ts";

/** Most characters of chunks, variables and messages that quotes are looked for in. */
const MAX_CHARACTERS = 500_000;
/** Stands between texts; nothing that is looked for contains it, so a quote cannot begin in one and end in the next. */
const BOUNDARY = "\0";

/** The texts in which a quote may occur. */
export class SourceTexts {
  readonly #text: string;

  /** @throws BudgetExceeded where they have more than 500,000 characters. */
  constructor(texts: Iterable<string>) {
    const collected: string[] = [];
    countCharacters(texts, (text) => collected.push(text));
    this.#text = collected.map((text) => normalized(text).replaceAll(BOUNDARY, " ")).join(BOUNDARY);
  }

  get length(): number {
    return this.#text.length;
  }

  /** A quote of nothing is none. */
  contain(quote: string): boolean {
    const wanted = normalized(quote);
    return wanted !== "" && !wanted.includes(BOUNDARY) && containsText(this.#text, wanted);
  }
}

/**
 * How many characters there are to search, showing each text to `visit`.
 * @throws BudgetExceeded where they are more than 500,000.
 */
export function countCharacters(texts: Iterable<string>, visit: (text: string) => void = () => {}): number {
  let characters = 0;
  for (const text of texts) {
    characters += text.length + BOUNDARY.length;
    if (characters > MAX_CHARACTERS) {
      throw new BudgetExceeded(`quotes are looked for in at most ${MAX_CHARACTERS} characters of chunks and input`);
    }
    visit(text);
  }
  return characters;
}

/** The texts of a request in which a quote may occur. */
export function* searchedTexts({ chunks, input, said }: Omit<CheckFacts, "output">): Generator<string> {
  for (const { text } of chunks) yield text;
  yield* textsIn(input);
  yield* said;
}

/**
 * Any white space as one space, none at the ends, and typographic quotes as those of a keyboard. Composed and decomposed
 * letters stay apart: `String.normalize` takes minutes for some texts of half a megabyte.
 */
function normalized(text: string): string {
  return text
    .replace(/[‘’‚‛‹›]/g, "'")
    .replace(/[“”„‟«»]/g, '"')
    .replace(/\s{2,}|[^\S ]/g, " ")
    .trim();
}

/** All texts inside a JSON value; names of members are not among them. */
function* textsIn(value: unknown): Generator<string> {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === "string") yield next;
    else if (typeof next === "object" && next !== null) for (const member of Object.values(next)) open.push(member);
  }
}
