/** What is wrong with the spelling of a rule, and where. */
export interface SyntaxFault {
  readonly offset: number;
  readonly message: string;
}

interface Token {
  readonly text: string;
  readonly offset: number;
  readonly kind: "value" | "word" | "sign" | "open_text";
}

const TOKEN =
  /(?<white>(?:\s|\/\/[^\r\n]*)+)|(?<value>[rRbB]{0,2}(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"(?!"")(?:\\.|[^"\\\r\n])*"|'(?!'')(?:\\.|[^'\\\r\n])*')|\.?\d[\w.]*)|(?<word>[A-Za-z_]\w*)|(?<sign>[=!]==|[=!<>]=|<>|&&|\|\||[^"'])|["']/guy;

/** Signs and words of other languages, which CEL has under another name and never as they are. */
const FOREIGN: Readonly<Record<string, string>> = {
  "=": "==",
  "===": "==",
  "!==": "!=",
  "<>": "!=",
  "&": "&&",
  "|": "||",
};
const FOREIGN_WORDS: Readonly<Record<string, string>> = { and: "&&", or: "||", is: "==", not: "!" };
/** CEL keeps these for languages that embed it. */
const RESERVED = new Set(
  "as break const continue else for function if import let loop package namespace return var void while".split(" "),
);
const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
const OPERATORS = new Set([
  "&&",
  "||",
  "==",
  "!=",
  "<",
  "<=",
  ">",
  ">=",
  "+",
  "-",
  "*",
  "/",
  "%",
  "?",
  ":",
  ",",
  ".",
  "in",
]);

/** The likeliest fault of a text that the parser refused; nothing where it is none that can be told. */
export function syntaxFault(text: string): SyntaxFault | undefined {
  const tokens = tokensOf(text);
  const open = tokens.find(({ kind }) => kind === "open_text");
  if (open) return { offset: open.offset, message: "the text that begins here has no end" };
  return misplacedToken(tokens) ?? unclosedBracket(tokens, text.length);
}

function tokensOf(text: string): readonly Token[] {
  return [...text.matchAll(TOKEN)].flatMap(({ 0: token, groups = {}, index: offset }): readonly Token[] => {
    if (groups.white !== undefined) return [];
    const kind = groups.value !== undefined ? "value" : groups.word !== undefined ? "word" : "sign";
    return [{ text: token, offset, kind: /^["']$/.test(token) ? "open_text" : kind }];
  });
}

/** Goes from value to operator to value, and stops where the other one stands. */
function misplacedToken(tokens: readonly Token[]): SyntaxFault | undefined {
  let wantsValue = true;
  for (const [at, token] of tokens.entries()) {
    const before = tokens[at - 1]?.text ?? "";
    const fault = (expected: string): SyntaxFault => ({
      offset: token.offset,
      message: `met ${JSON.stringify(token.text.slice(0, 20))}, expected ${expected}`,
    });
    const foreign = foreignName(token, wantsValue, before, tokens[at + 1]);
    if (foreign !== undefined) return fault(JSON.stringify(foreign));
    const isOperator = OPERATORS.has(token.text);
    const isClosing = ")]}".includes(token.text);
    const isOpening = token.text in CLOSING;
    const isValue = !isOperator && token.kind !== "sign";
    if (wantsValue) {
      if (isValue && RESERVED.has(token.text) && before !== ".") return fault("a value: CEL reserves this word");
      if (isValue) wantsValue = false;
      else if (isClosing && (before in CLOSING || before === ",")) wantsValue = false;
      else if (!isOpening && !["-", "!", "."].includes(token.text) && !isOptional(before, token.text))
        return fault("a value");
    } else if (isOperator || isOpening) wantsValue = true;
    else if (!isClosing) return fault(isValue ? "an operator, such as &&" : "an operator or the end");
  }
  const last = tokens.at(-1);
  if (!last || !wantsValue) return undefined;
  const message = `the rule ends after ${JSON.stringify(last.text)}, expected a value`;
  return { offset: last.offset + last.text.length, message };
}

/** `.?name` and `[?key]`, which the parser knows. */
function isOptional(before: string, text: string): boolean {
  return text === "?" && (before === "." || before === "[");
}

function foreignName(token: Token, wantsValue: boolean, before: string, next: Token | undefined): string | undefined {
  if (token.kind === "sign") return FOREIGN[token.text];
  if (token.kind !== "word" || before === ".") return undefined;
  const word = token.text.toLowerCase();
  const isPrefix = word === "not";
  // `not x`, and `x and y`: elsewhere these may be names.
  const isMeant = isPrefix ? next !== undefined && (!wantsValue || next.kind !== "sign") : !wantsValue;
  if (isPrefix && !wantsValue) return "!(... in ...)";
  return isMeant && Object.hasOwn(FOREIGN_WORDS, word) ? FOREIGN_WORDS[word] : undefined;
}

function unclosedBracket(tokens: readonly Token[], end: number): SyntaxFault | undefined {
  const open: Token[] = [];
  for (const token of tokens) {
    if (token.kind !== "sign") continue;
    if (token.text in CLOSING) open.push(token);
    if (!")]}".includes(token.text)) continue;
    const expected = CLOSING[open.pop()?.text ?? ""];
    if (expected === token.text) continue;
    const what = expected === undefined ? "which closes nothing" : `expected ${JSON.stringify(expected)}`;
    return { offset: token.offset, message: `met ${JSON.stringify(token.text)}, ${what}` };
  }
  const last = open.at(-1);
  return last && { offset: end, message: `the rule ends, expected ${JSON.stringify(CLOSING[last.text])}` };
}
