const OPENING_TAG = /^<([a-z][a-z0-9_-]{0,40})>/i;
const CLOSING_TAG = /^<\/([a-z][a-z0-9_-]{0,40})>$/i;
const FENCE = /^(?:"""|'''|```|~~~|---)/;

/**
 * The texts that a prompt sets apart: between a tag at the start of a line and its end at the end of a line, or between
 * two lines that begin with the same fence (triple quotes, back-ticks, tildes or hyphens). One pass, however many open.
 */
export function enclosedTexts(text: string): readonly string[] {
  const found: string[] = [];
  const open = new Map<string, number>();
  let offset = 0;
  const close = (mark: string, end: number) => {
    const start = open.get(mark);
    if (start === undefined) return false;
    open.delete(mark);
    found.push(text.slice(start, end).trim());
    return true;
  };
  for (const line of text.split("\n")) {
    const trimmed = line.trim();
    const indent = line.indexOf(trimmed);
    const fence = FENCE.exec(trimmed)?.[0];
    if (fence && !close(fence, offset)) open.set(fence, offset + line.length);
    const opening = OPENING_TAG.exec(trimmed);
    if (opening?.[1] && !open.has(opening[1])) open.set(opening[1], offset + indent + opening[0].length);
    const closingAt = trimmed.lastIndexOf("</");
    const closing = closingAt < 0 ? undefined : CLOSING_TAG.exec(trimmed.slice(closingAt))?.[1];
    if (closing) close(closing, offset + indent + closingAt);
    offset += line.length + 1;
  }
  return found;
}
