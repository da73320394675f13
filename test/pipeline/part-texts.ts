import type { JsonPart } from "../../src/pipeline/json-parts.ts";
import { pick } from "./parse/random.ts";

type Random = () => number;

/** A value as JSON in one of its many spellings, and the parts that a reader must find in that text. */
export function spell(random: Random, root: unknown): { text: string; parts: JsonPart[] } {
  const parts: JsonPart[] = [];
  return { text: space() + write(root, "", 0) + space(), parts };

  function write(value: unknown, pointer: string, level: number): string {
    const text = spelled(value, pointer, level);
    if (level > 0 && level <= 3) parts.push({ pointer, text });
    return text;
  }

  function spelled(value: unknown, pointer: string, level: number): string {
    if (typeof value === "string") return string(value);
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    if (Array.isArray(value)) {
      return `[${list(value.map((item, index) => write(item, `${pointer}/${index}`, level + 1)))}]`;
    }
    const members = Object.entries(value).map(([key, member]) => {
      const step = key.replaceAll("~", "~0").replaceAll("/", "~1");
      return `${string(key)}${space()}:${space()}${write(member, `${pointer}/${step}`, level + 1)}`;
    });
    return `{${list(members)}}`;
  }

  function list(members: readonly string[]): string {
    return space() + members.join(`${space()},${space()}`) + space();
  }

  function string(text: string): string {
    if (random() < 0.7) return JSON.stringify(text);
    const units = Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, "0"));
    return `"${units.map((unit) => `\\u${unit}`).join("")}"`;
  }

  function space(): string {
    return pick(random, ["", "", "", " ", "\n  ", "\t", "\r\n"]);
  }
}

/** A text in pieces that end anywhere, also inside characters and escapes. None is empty. */
export function cut(random: Random, text: string): string[] {
  const longest = pick(random, [1, 3, 20, 1000]);
  const pieces: string[] = [];
  for (let at = 0; at < text.length; ) {
    const end = at + 1 + Math.floor(random() * longest);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}

/** What a JSON pointer points to in a value. */
export function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const step of pointer.split("/").slice(1)) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) throw new Error(`no ${pointer}`);
    value = Reflect.get(value, key);
  }
  return value;
}
