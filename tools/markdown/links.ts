import { proseLines } from "./fences.ts";

/** A link as it stands in a Markdown text. */
export interface Link {
  target: string;
  /** The line it stands in, from 1. */
  line: number;
}

const inlineLink = /\]\(\s*<?([^()<>\s]+)>?(?:\s+"[^"]*")?\s*\)/g;
const linkDefinition = /^ {0,3}\[[^\]]+\]:\s*<?([^<>\s]+)>?/;
const htmlLink = /<(?:a|img)\b[^>]*?\b(?:href|src)="([^"]+)"/g;

/** The targets of all links and images of a Markdown text, outside of code. */
export function links(markdown: string): Link[] {
  return proseLines(markdown).flatMap(({ text, line }) => {
    const prose = text.replace(/`[^`]*`/g, "``");
    const definition = linkDefinition.exec(prose)?.[1];
    const found = [...prose.matchAll(inlineLink), ...prose.matchAll(htmlLink)].flatMap((match) => match[1] ?? []);
    return [...(definition ? [definition] : []), ...found].map((target) => ({ target, line }));
  });
}

/** The anchors of a Markdown text's headings, as GitHub makes them: lower case, blanks to hyphens, repeated ones numbered. */
export function anchors(markdown: string): Set<string> {
  const known = new Set<string>();
  for (const { text } of proseLines(markdown)) {
    const heading = /^#{1,6}\s+(.+?)\s*#*$/.exec(text)?.[1];
    if (heading === undefined) continue;
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const base = plain.replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
    let anchor = base;
    for (let number = 1; known.has(anchor); number += 1) anchor = `${base}-${number}`;
    known.add(anchor);
  }
  return known;
}
