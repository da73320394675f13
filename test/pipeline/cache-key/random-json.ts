import { pick } from "../parse/random.ts";

export type Random = () => number;

/** JSON as it is written: with an order of keys, and digits of numbers. */
export type Json =
  | { readonly kind: "object"; readonly members: [string, Json][] }
  | { readonly kind: "list"; readonly items: Json[] }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly digits: string }
  | { readonly kind: "word"; readonly word: "true" | "false" | "null" };

export function jsonOf(value: unknown): Json {
  if (typeof value === "string") return { kind: "text", text: value };
  if (typeof value === "number") return { kind: "number", digits: String(value) };
  if (Array.isArray(value)) return { kind: "list", items: value.map(jsonOf) };
  if (typeof value === "object" && value !== null) {
    return { kind: "object", members: Object.entries(value).map(([key, member]) => [key, jsonOf(member)]) };
  }
  return { kind: "word", word: value === true ? "true" : value === false ? "false" : "null" };
}

const KEYS = ["zeta", "10", "2", "alpha", "\u00e9", "a b", "lines"] as const;
const DIGITS = ["0", "7", "-1.5", "1.10", "1.1", "1e5", "1E5", "12345678901234567890", "100000", "-0"] as const;

/** An object with values of every kind, at most five levels deep. */
export function randomObject(random: Random, text: () => string, level = 0): Json {
  const keys = KEYS.filter(() => random() < 0.4);
  return { kind: "object", members: keys.map((key) => [key, randomJson(random, text, level + 1)]) };
}

function randomJson(random: Random, text: () => string, level: number): Json {
  const kind = pick(random, ["object", "list", "text", "text", "number", "number", "word"]);
  if (kind === "text" || level > 4) return { kind: "text", text: text() };
  if (kind === "number") return { kind, digits: pick(random, DIGITS) };
  if (kind === "word") return { kind, word: pick(random, ["true", "false", "null"]) };
  if (kind === "object") return randomObject(random, text, level);
  const items = Array.from({ length: Math.floor(random() * 4) }, () => randomJson(random, text, level + 1));
  return { kind: "list", items };
}

/** What of a JSON text is spelling, beside white space and escapes. */
export interface Spelling {
  readonly keyOrder?: boolean;
  readonly numbers?: boolean;
  /** Of the texts that are no keys. */
  readonly text?: (text: string) => string;
}

/** One of the texts that spell a value. */
export function spellJson(json: Json, random: Random, spelling: Spelling): string {
  const space = () => (random() < 0.7 ? "" : pick(random, [" ", "\n", "\t", "\r\n  "]));
  const text = (value: string) => spellText(value, random);
  const write = (value: Json): string => space() + bare(value) + space();
  const bare = (value: Json): string => {
    if (value.kind === "text") return text(spelling.text?.(value.text) ?? value.text);
    if (value.kind === "number") return spelling.numbers ? spellNumber(value.digits, random) : value.digits;
    if (value.kind === "word") return value.word;
    if (value.kind === "list") return `[${value.items.map(write).join(",") || space()}]`;
    const members = spelling.keyOrder ? shuffled(value.members, random) : value.members;
    const written = members.map(([key, member]) => `${space()}${text(key)}${space()}:${write(member)}`);
    return `{${written.join(",") || space()}}`;
  };
  return write(json);
}

function spellText(text: string, random: Random): string {
  const plain = JSON.stringify(text).slice(1, -1);
  if (random() < 0.5) return `"${plain}"`;
  const escaped = Array.from({ length: text.length }, (_, at) => {
    const unit = text.charAt(at);
    const code = unit.charCodeAt(0);
    const hex = code.toString(16).padStart(4, "0");
    if (random() < 0.3 || (code >= 0xd800 && code <= 0xdfff)) {
      return `\\u${random() < 0.5 ? hex : hex.toUpperCase()}`;
    }
    return unit === "/" && random() < 0.5 ? "\\/" : JSON.stringify(unit).slice(1, -1);
  });
  return `"${escaped.join("")}"`;
}

/** Another way to write a number whose digits show its value. */
function spellNumber(digits: string, random: Random): string {
  if (/[eE]/.test(digits)) return digits;
  const isWhole = !digits.includes(".");
  const longer = isWhole ? `${digits}.0` : `${digits}0`;
  return pick(random, [
    digits,
    longer,
    `${digits}e0`,
    `${digits}E+00`,
    isWhole && digits !== "0" ? `${digits}0e-1` : longer,
  ]);
}

export function shuffled<T>(list: readonly T[], random: Random): T[] {
  const keys = list.map((item) => ({ item, at: random() }));
  return keys.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/** The value in a Struct, its keys in some order; undefined where a double would print other digits. */
export function structOf(json: Json, random: Random, text: (text: string) => string): { value: unknown } | undefined {
  if (json.kind === "text") return { value: text(json.text) };
  if (json.kind === "word") return { value: JSON.parse(json.word) };
  if (json.kind === "number") {
    return String(Number(json.digits)) === json.digits ? { value: Number(json.digits) } : undefined;
  }
  if (json.kind === "list") {
    const items = json.items.map((item) => structOf(item, random, text));
    return items.some((item) => !item) ? undefined : { value: items.map((item) => item?.value) };
  }
  const members = shuffled(json.members, random).map(([key, member]) => [key, structOf(member, random, text)] as const);
  if (members.some(([, member]) => !member)) return undefined;
  return { value: Object.fromEntries(members.map(([key, member]) => [key, member?.value])) };
}

/** Changes one thing in a value, in its place. The value itself must be an object. */
export function changeJson(json: Json, random: Random, isOrderMeaning: boolean): void {
  if (json.kind === "list" && json.items.length) {
    const at = Math.floor(random() * json.items.length);
    const item = json.items[at];
    if (!item) return;
    if (random() < 0.3) json.items.splice(at, 0, item);
    else json.items[at] = changed(item, random, isOrderMeaning);
    return;
  }
  if (json.kind !== "object") return;
  const at = Math.floor(random() * json.members.length);
  const member = json.members[at];
  const roll = random();
  if (!member || roll < 0.2) json.members.push([`new ${json.members.length}`, jsonOf(null)]);
  else if (roll < 0.4) member[0] = `${member[0]}\u0301`;
  else if (roll < 0.5) json.members.splice(at, 1);
  else if (isOrderMeaning && roll < 0.7 && json.members.length > 1) json.members.push(...json.members.splice(0, 1));
  else member[1] = changed(member[1], random, isOrderMeaning);
}

function changed(json: Json, random: Random, isOrderMeaning: boolean): Json {
  if (json.kind === "text") return { kind: "text", text: `${json.text}${pick(random, [" ", "x", "\u0301\u0301"])}` };
  if (json.kind === "word") return { kind: "word", word: json.word === "true" ? "false" : "true" };
  if (json.kind === "number") {
    if (random() < 0.3) return { kind: "text", text: json.digits };
    const other = [
      `${json.digits}${json.digits.includes(".") ? "" : "."}0`,
      "31337",
      "0.1",
      "9007199254740993",
      "9007199254740992",
    ].filter(
      (digits) =>
        (isOrderMeaning ? Number(digits) !== Number(json.digits) : digits !== json.digits) && !/[eE]/.test(digits),
    );
    return { kind: "number", digits: pick(random, ["42", ...other]) };
  }
  if ((json.kind === "list" ? json.items : json.members).length === 0) return { kind: "word", word: "null" };
  changeJson(json, random, isOrderMeaning);
  return json;
}
