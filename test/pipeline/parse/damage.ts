import { pick } from "./random.ts";

type Random = () => number;

const PYTHON: Readonly<Record<string, string>> = { true: "True", false: "False", null: "None" };

/** Writes a value with the slips of notation that models make; a careful reader can still read it in one way only. */
export function restyle(random: Random, value: unknown): string {
  const python = random() < 0.3;
  const quote = pick(random, ['"', '"', "'", "“"]);
  return write(value);

  function write(item: unknown): string {
    if (typeof item === "string") return string(item);
    if (typeof item === "number") return random() < 0.1 && item > 0 ? `+${JSON.stringify(item)}` : JSON.stringify(item);
    if (typeof item !== "object" || item === null) {
      const literal = String(item);
      return python ? (PYTHON[literal] ?? literal) : literal;
    }
    if (Array.isArray(item)) return `[${space()}${list(item.map(write))}]`;
    return `{${space()}${list(Object.entries(item).map(([key, member]) => `${name(key)}:${gap()}${write(member)}`))}}`;
  }

  function list(members: string[]): string {
    const trailing = members.length && random() < 0.2 ? "," : "";
    return members.join(`${space()},${space()}`) + space() + trailing + space();
  }

  function name(key: string): string {
    return /^[A-Za-z_$]\w*$/.test(key) && random() < 0.3 ? key : string(key);
  }

  function string(text: string): string {
    if (quote === "“" && !/[“”]/.test(text)) return `“${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"')}”`;
    if (quote === "'") return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
    return random() < 0.2
      ? JSON.stringify(text).replaceAll("\\n", "\n").replaceAll("\\\n", "\\\\n")
      : JSON.stringify(text);
  }

  function gap(): string {
    return pick(random, ["", " ", "\u00a0", "\n"]);
  }

  function space(): string {
    return pick(random, ["", " ", "\n", "\u00a0", " /* note */ ", " // note\n", "\u200b", "\n# note\n"]);
  }
}

/** Puts a text between words, fences and reasoning, as models do. */
export function damage(random: Random, text: string): string {
  const steps: readonly [(inner: string) => string, ...((inner: string) => string)[]] = [
    (inner) => `\`\`\`json\n${inner}\n\`\`\``,
    (inner) => `Sure! Here it is:\n\n${inner}\n\nLet me know (it's all there).`,
    (inner) => `<think>maybe {"vessel": "Tern"} or [1, 2</think>\n${inner}`,
    (inner) => `Hmm, {"draft": tr\n</think>\n\n${inner}`,
    (inner) => `\ufeff${inner}\n`,
    (inner) => `<answer>${inner}</answer>`,
    (inner) => `Fill {vessel}, see [the log]: ${inner}.`,
    (inner) => `${inner}}`,
    (inner) => `${inner}\n${inner}`,
    (inner) => JSON.stringify(inner),
    (inner) => (/^\{\s*"/.test(inner) ? JSON.stringify(inner).slice(1, -1) : inner),
  ];
  let damaged = text;
  for (let left = 1 + Math.floor(random() * 2); left > 0; left -= 1) damaged = pick(random, steps)(damaged);
  return damaged;
}

/** Removes one bracket, quote or colon from JSON; none of those inside strings, which would be a change of data. */
export function deleteBracketOrQuote(random: Random, json: string): string {
  const tokens = json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g);
  const places = [...tokens].flatMap(({ index, 0: token }) => [index, index + token.length - 1]);
  const [first = 0, ...others] = places;
  const at = pick(random, [first, ...others]);
  return json.slice(0, at) + json.slice(at + 1);
}
