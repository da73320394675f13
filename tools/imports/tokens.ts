/** A token of a TypeScript source, as far as finding imports needs it. Comments and regular expressions are left out. */
export interface Token {
  kind: "word" | "text" | "mark";
  /** The word, the content of the string literal as written, or the single character. */
  value: string;
  /** The line it begins on, from 1. */
  line: number;
}

const wordStart = /[\p{ID_Start}$_#]/u;
const word = /[\p{ID_Continue}$\u200c\u200d]+/uy;
const number = /[0-9][\w.]*/y;
const blank = /\s+/y;
const lineComment = /\/\/[^\n]*/y;
const blockComment = /\/\*[\s\S]*?\*\//y;
const stringLiteral = /"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'/y;
const regularExpression = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
const templatePart = /(?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)/y;

/** Words after which a slash begins a regular expression: after any other word it divides. */
const beforeExpression = new Set([
  "return",
  "typeof",
  "case",
  "in",
  "of",
  "do",
  "else",
  "void",
  "delete",
  "await",
  "yield",
]);

/** The tokens of a source that a compiler accepts; what they are for one that it does not is not defined. */
export function tokens(source: string): Token[] {
  return [...new Scanner(source).scan()];
}

class Scanner {
  readonly #source: string;
  #position = 0;
  #line = 1;
  #last: Token | undefined;
  /** How many braces are open inside each template expression that is open. */
  readonly #templates: number[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  *scan(): Generator<Token> {
    while (this.#position < this.#source.length) {
      const token = this.#next();
      if (token) yield token;
      this.#last = token ?? this.#last;
    }
  }

  #next(): Token | undefined {
    if (this.#take(blank) || this.#take(lineComment) || this.#take(blockComment)) return undefined;
    const line = this.#line;
    const literal = this.#take(stringLiteral);
    if (literal) return { kind: "text", value: literal.slice(1, -1), line };
    if (this.#take(number)) return { kind: "mark", value: "0", line };
    const character = this.#source[this.#position] ?? "";
    if (wordStart.test(character)) {
      this.#position += 1;
      return { kind: "word", value: character + (this.#take(word) ?? ""), line };
    }
    // What a regular expression is to the tokens around it, a value, it stays.
    if (character === "/" && this.#expressionMayBegin() && this.#take(regularExpression)) {
      return { kind: "mark", value: "0", line };
    }
    this.#position += 1;
    return this.#mark(character, line);
  }

  #mark(character: string, line: number): Token | undefined {
    const open = this.#templates.at(-1);
    if (character === "`") return this.#template(line);
    if (character === "{" && open !== undefined) this.#templates[this.#templates.length - 1] = open + 1;
    if (character === "}" && open !== undefined) {
      if (open === 0) {
        this.#templates.pop();
        return this.#template(line);
      }
      this.#templates[this.#templates.length - 1] = open - 1;
    }
    return { kind: "mark", value: character, line };
  }

  /** Reads the text of a template up to its end or its next expression. A template without one is a string literal. */
  #template(line: number): Token | undefined {
    const whole = this.#source[this.#position - 1] === "`";
    const part = this.#take(templatePart) ?? "";
    if (!part.endsWith("${")) {
      return whole ? { kind: "text", value: part.slice(0, -1), line } : { kind: "mark", value: "0", line };
    }
    this.#templates.push(0);
    return { kind: "mark", value: "(", line };
  }

  #expressionMayBegin(): boolean {
    if (!this.#last) return true;
    if (this.#last.kind === "word") return beforeExpression.has(this.#last.value);
    return this.#last.kind === "mark" && !")]}0".includes(this.#last.value);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const match = pattern.exec(this.#source)?.[0];
    if (match === undefined) return undefined;
    this.#position += match.length;
    this.#line += match.split("\n").length - 1;
    return match;
  }
}
