/**
 * Says in CEL what a scenario's rule says in JavaScript over `v`, the answer. Knows what rules over JSON are made of:
 * sums by `reduce`, `every`, `some`, `filter`, `map`, `length`, comparisons and arithmetic.
 * @throws Error for anything else, since a rule that was translated wrongly would be checked wrongly.
 */
export function celRule(js: string): string {
  const cel = arithmetic(methods(js.trim()));
  const left = /=>|\?\.|`|\bnew\b|\bMath\b|\.(?:reduce|every|some|includes|length|find|at|slice)\b|\/[^/]+\/[a-z]*\./;
  if (left.test(cel)) throw new Error(`cannot be said in CEL: ${js}`);
  return cel;
}

/** Rewrites method calls from the inside of the first one's argument outwards, then what follows it. */
function methods(js: string): string {
  const call = /\.(reduce|every|some|filter|map)\(/.exec(js);
  if (!call) return js;
  const open = call.index + call[0].length - 1;
  const close = closing(js, open);
  const receiverStart = startOfPath(js, call.index);
  const before = js.slice(0, receiverStart);
  const receiver = js.slice(receiverStart, call.index);
  const rewritten = method(String(call[1]), receiver, js.slice(open + 1, close));
  return before + methods(rewritten + js.slice(close + 1));
}

const names: Readonly<Record<string, string>> = { every: "all", some: "exists", filter: "filter", map: "map" };

function method(name: string, receiver: string, argument: string): string {
  if (name === "reduce") {
    const sum = /^\(?\s*(\w+)\s*,\s*(\w+)\s*\)?\s*=>\s*\1\s*\+\s*(.+?)\s*,\s*0$/s.exec(argument);
    if (!sum) throw new Error(`a reduce that is no sum: ${argument}`);
    return `sum(${receiver}${DONE}map(${sum[2]},${methods(String(sum[3]))}))`;
  }
  const arrow = /^\(?\s*(\w+)\s*\)?\s*=>\s*(.+)$/s.exec(argument);
  if (!arrow) throw new Error(`not an arrow function of one parameter: ${argument}`);
  // Already CEL: the next look must not take it for JavaScript's method again.
  return `${receiver}${DONE}${names[name]}(${arrow[1]},${methods(String(arrow[2]))})`;
}

/** Stands for the dot before a method that is CEL already. */
const DONE = "\ue000";

function arithmetic(text: string): string {
  return (
    text
      .replaceAll(DONE, ".")
      .replaceAll(/===|!==/g, (operator) => operator.slice(0, 2))
      .replaceAll(/\.length\b/g, ".size()")
      .replaceAll(/(?<![\w.])v(?=[.[\s)=!<>]|$)/g, "output")
      .replaceAll(/Math\.abs\(([^()]+?)\s*-\s*([^()-]+)\)\s*<=?\s*(?:0\.0*1|1e-\d+)/g, "approx($1, $2)")
      // JSON numbers are doubles in CEL, which adds no double to an int.
      .replaceAll(/(?<![\w.[])\d+(?![\w.\]])/g, "$&.0")
  );
}

/** Where the path that ends before `end` begins: names, dots, calls and indexes. */
function startOfPath(text: string, end: number): number {
  let start = end;
  while (start > 0 && /[\w.\])(\ue000[]/.test(text.charAt(start - 1))) {
    const before = text.charAt(start - 1);
    if (before === "(" || before === "[") break;
    start = before === ")" || before === "]" ? opening(text, start - 1) : start - 1;
  }
  return start;
}

function closing(text: string, open: number): number {
  for (let at = open, depth = 0; at < text.length; at += 1) {
    if (text[at] === "(") depth += 1;
    if (text[at] === ")") depth -= 1;
    if (depth === 0) return at;
  }
  throw new Error(`unbalanced: ${text}`);
}

function opening(text: string, close: number): number {
  for (let at = close, depth = 0; at >= 0; at -= 1) {
    if (/[)\]]/.test(text.charAt(at))) depth += 1;
    if (/[([]/.test(text.charAt(at))) depth -= 1;
    if (depth === 0) return at;
  }
  throw new Error(`unbalanced: ${text}`);
}
