export type JsonObject = Record<string, unknown>;

/** Pointers here have no escapes. */
export const parentOf = (pointer: string) => pointer.slice(0, pointer.lastIndexOf("/"));
export const nameIn = (pointer: string) => pointer.slice(pointer.lastIndexOf("/") + 1);

/** What stands at a pointer. Throws where nothing does. */
export function childOf(value: unknown, pointer: string): unknown {
  let child = value;
  for (const step of pointer.split("/").slice(1)) {
    if (!isContainer(child) || child[step] === undefined) throw new Error(`nothing at ${pointer}`);
    child = child[step];
  }
  return child;
}

/** The object or array at a pointer. Throws where there is none. */
export function memberAt(value: unknown, pointer: string): JsonObject {
  const member = childOf(value, pointer);
  if (!isContainer(member)) throw new Error(`no object at ${pointer}`);
  return member;
}

function isContainer(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null;
}
