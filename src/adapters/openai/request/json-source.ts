/** JSON as it was written: the order of keys, their escapes and the digits of numbers stay as they are. */
export type JsonSource = ObjectSource | ArraySource | ScalarSource;

export interface ObjectSource {
  readonly kind: "object";
  readonly members: readonly MemberSource[];
}

export interface MemberSource {
  readonly key: string;
  /** The key with its quotes and escapes. */
  readonly keyText: string;
  readonly value: JsonSource;
}

export interface ArraySource {
  readonly kind: "array";
  readonly items: readonly JsonSource[];
}

export interface ScalarSource {
  readonly kind: "scalar";
  readonly text: string;
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Reads text that `JSON.parse` takes, which reorders keys such as "10" and rounds numbers. Recursive: for texts whose
 * depth is bounded, as that of a compiled schema is.
 * @throws SyntaxError where the text is no JSON.
 */
export function readJsonSource(text: string): JsonSource {
  JSON.parse(text);
  const tokens = text.match(TOKEN) ?? [];
  let at = 0;
  const take = () => tokens[at++] ?? "";
  const readMembers = (): MemberSource[] => {
    const members: MemberSource[] = [];
    for (let token = take(); token !== "}"; token = take()) {
      const keyText = token === "," ? take() : token;
      take();
      members.push({ key: String(JSON.parse(keyText)), keyText, value: readNext(take()) });
    }
    return members;
  };
  const readItems = (): JsonSource[] => {
    const items: JsonSource[] = [];
    for (let token = take(); token !== "]"; token = take()) items.push(readNext(token === "," ? take() : token));
    return items;
  };
  const readNext = (token: string): JsonSource => {
    if (token === "{") return { kind: "object", members: readMembers() };
    if (token === "[") return { kind: "array", items: readItems() };
    return { kind: "scalar", text: token };
  };
  return readNext(take());
}

/** The text without white space. */
export function writeJsonSource(source: JsonSource): string {
  if (source.kind === "scalar") return source.text;
  if (source.kind === "array") return `[${source.items.map(writeJsonSource).join(",")}]`;
  return `{${source.members.map(({ keyText, value }) => `${keyText}:${writeJsonSource(value)}`).join(",")}}`;
}

/** The value that `JSON.parse` makes of it. */
export function parsedSource(source: JsonSource | undefined): unknown {
  return source && JSON.parse(writeJsonSource(source));
}

/** The member of an object; undefined where there is none, or where the source is no object. */
export function memberOf(source: JsonSource | undefined, key: string): JsonSource | undefined {
  return source?.kind === "object" ? source.members.find((member) => member.key === key)?.value : undefined;
}

/** A member whose key needs no escapes of its own, made from a value. */
export function newMember(key: string, value: unknown): MemberSource {
  return { key, keyText: JSON.stringify(key), value: readJsonSource(JSON.stringify(value)) };
}
