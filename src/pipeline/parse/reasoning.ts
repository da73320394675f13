/** A tag at which a model begins or ends to think aloud. */
export interface ReasoningTag {
  readonly name: string;
  readonly isClosing: boolean;
  /** Offset after the tag. */
  readonly end: number;
}

const TAG = /<(\/?)(think|thinking|reasoning)(?:\s[^<>]{0,200})?>/iy;
const ANY_TAG = new RegExp(TAG.source, "gi");

/** The tag that begins at an offset. One that closes itself (`<think/>`) holds nothing and is none. */
export function reasoningTagAt(text: string, at: number): ReasoningTag | undefined {
  TAG.lastIndex = at;
  return tagOf(TAG.exec(text));
}

function tagOf(match: RegExpExecArray | null): ReasoningTag | undefined {
  if (!match || match[0].endsWith("/>")) return undefined;
  return { name: (match[2] ?? "").toLowerCase(), isClosing: match[1] === "/", end: match.index + match[0].length };
}

/** The tags beyond an offset, without those that stand in quotes of their own: these are spoken of. */
function* tagsFrom(text: string, from: number): Generator<ReasoningTag> {
  for (let at = from; ; ) {
    ANY_TAG.lastIndex = at;
    const match = ANY_TAG.exec(text);
    if (!match) return;
    const tag = tagOf(match);
    at = match.index + match[0].length;
    if (tag && !isMention(text, match.index, at)) yield tag;
  }
}

function isMention(text: string, start: number, end: number): boolean {
  const quote = text.charAt(start - 1);
  return (
    /["'`]/.test(quote) &&
    /^[\s(]?$/.test(text.charAt(start - 2)) &&
    text.charAt(end) === quote &&
    text.charAt(end + 1) !== quote
  );
}

/**
 * The offset after the tag that closes a part opened by `tag`; the end of the text where none does. Undefined where
 * further parts begin inside and fewer end than began: what follows an end of that name may be reasoning still, or the
 * answer after reasoning that only spoke of such a tag.
 */
export function reasoningEnd(text: string, tag: ReasoningTag): number | undefined {
  let open = 1;
  let couldEnd = false;
  for (const { name, isClosing, end } of tagsFrom(text, tag.end)) {
    if (!isClosing) open += 1;
    else {
      if (open === 1 && name === tag.name) return end;
      couldEnd ||= name === tag.name;
      open = Math.max(1, open - 1);
    }
  }
  return couldEnd ? undefined : text.length;
}

/** The offset after the first closing tag beyond `from` that closes nothing that opens there; undefined where there is none. */
export function nextReasoningEnd(text: string, from: number): number | undefined {
  let open = 0;
  for (const { isClosing, end } of tagsFrom(text, from)) {
    if (isClosing && open === 0) return end;
    open += isClosing ? -1 : 1;
  }
  return undefined;
}

/**
 * The offset after the reasoning with which a text begins; 0 where it begins with none, and the end of the text where
 * nothing before that is surely the end of it.
 */
export function leadingReasoningEnd(text: string): number {
  let end = 0;
  for (;;) {
    const at = end + (/^[\s\ufeff\u200b]*/.exec(text.slice(end, end + 256))?.[0].length ?? 0);
    const tag = reasoningTagAt(text, at);
    if (!tag) return end;
    end = tag.isClosing ? tag.end : (reasoningEnd(text, tag) ?? text.length);
  }
}
