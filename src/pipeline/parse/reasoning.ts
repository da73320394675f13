/** A tag at which a model begins or ends to think aloud. */
export interface ReasoningTag {
  readonly name: string;
  readonly isClosing: boolean;
  /** Offset after the tag. */
  readonly end: number;
}

const TAG = /<(\/?)(think|thinking|reasoning)(?:\s[^<>]{0,200})?>/iy;
const CLOSING_TAG = /<\/(?:think|thinking|reasoning)\s*>/gi;

/** The tag that begins at an offset. One that closes itself (`<think/>`) holds nothing and is none. */
export function reasoningTagAt(text: string, at: number): ReasoningTag | undefined {
  TAG.lastIndex = at;
  const match = TAG.exec(text);
  if (!match || match[0].endsWith("/>")) return undefined;
  return { name: match[2] ?? "", isClosing: match[1] === "/", end: at + match[0].length };
}

/** The offset after the tag that closes a part opened by `tag`; the end of the text where none does. */
export function reasoningEnd(text: string, tag: ReasoningTag): number {
  const closing = new RegExp(`</${tag.name}\\s*>`, "gi");
  closing.lastIndex = tag.end;
  return closing.exec(text) ? closing.lastIndex : text.length;
}

/** The offset after the first closing tag beyond `from`; undefined where there is none. */
export function nextReasoningEnd(text: string, from: number): number | undefined {
  CLOSING_TAG.lastIndex = from;
  return CLOSING_TAG.exec(text) ? CLOSING_TAG.lastIndex : undefined;
}

/** The offset after the reasoning with which a text begins; 0 where it begins with none. */
export function leadingReasoningEnd(text: string): number {
  let end = 0;
  for (;;) {
    const at = end + (/^[\s\ufeff\u200b]*/.exec(text.slice(end, end + 256))?.[0].length ?? 0);
    const tag = reasoningTagAt(text, at);
    if (!tag) return end;
    end = tag.isClosing ? tag.end : reasoningEnd(text, tag);
  }
}
