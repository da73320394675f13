const MAX_ID_BYTES = 200;

/** Kinds of content by the ends of names. */
const kinds: Readonly<Record<string, ContentKind>> = {
  ".txt": "text",
  ".text": "text",
  ".md": "markdown",
  ".markdown": "markdown",
  ".html": "html",
  ".htm": "html",
  ".pdf": "pdf",
};

export type ContentKind = "text" | "markdown" | "html" | "pdf";

export const knownExtensions: readonly string[] = Object.keys(kinds);

/** What a file holds, by its name. Undefined: it is none that can be read. */
export function kindOf(path: string): ContentKind | undefined {
  const dot = path.lastIndexOf(".");
  const extension = dot > path.lastIndexOf("/") + 1 ? path.slice(dot).toLowerCase() : "";
  return Object.hasOwn(kinds, extension) ? kinds[extension] : undefined;
}

/** Whether the walk passes a file or folder of this name by. */
export function isPassedBy(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}

/**
 * The id of a document: its path below the folder, with /. Characters that ids refuse are percent-encoded, and so is a
 * percent sign that could be taken for the beginning of one, so that no two paths have the same id. Undefined where it
 * would be longer than 200 bytes.
 */
export function idOf(path: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  const id = path.replace(/[\x00-\x1f\x7f[\]#]|%(?=[0-9A-Fa-f]{2})/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return Buffer.byteLength(id) <= MAX_ID_BYTES ? id : undefined;
}

/**
 * The path that has an id; undefined where no walk of a folder can have produced it: then it is another's document, and
 * not ours to remove.
 */
export function pathOf(id: string): string | undefined {
  const path = id.replace(/%([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  const names = path.split("/");
  const isWalked = names.every((name) => name !== "" && !isPassedBy(name) && !name.includes("\0"));
  return isWalked && kindOf(path) !== undefined && idOf(path) === id ? path : undefined;
}
