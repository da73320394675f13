/**
 * ICU's rules find sentences in every script, but each look at a long text costs in proportion to the whole text, so it
 * gets windows. No sentence is longer than a window: a longer one is cut at words anyway.
 */
const WINDOW_UNITS = 2000;
const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/**
 * Words after which a dot seldom ends a sentence. ICU knows none of them: it sees only that a capital letter follows. A
 * single capital letter is an initial, as in "J. Smith".
 */
const ABBREVIATION =
  /(?:^|[\s("'\u2018\u201c[])(?:\p{Lu}|Dr|Mr|Mrs|Ms|Prof|St|Sr|Jr|Gen|Col|Sgt|Capt|Lt|Rev|Hon|Fig|Figs|Eq|Eqs|Sec|Ch|Vol|No|Nos|Art|Ref|Refs|vs|cf|e\.g|i\.e|al|approx|Inc|Ltd|Co|Corp|bzw|ca|Nr|Abs|z\.B|d\.h|p|pp)\.\s+$/u;

/** Where sentences begin between the offsets, the first at `start`. A line break within a paragraph ends none. */
export function sentenceStarts(text: string, start: number, end: number): number[] {
  const starts = [start];
  let from = start;
  while (from < end) {
    const to = Math.min(end, from + WINDOW_UNITS);
    const window = text.slice(from, to).replaceAll("\n", " ");
    const found = [...segmenter.segment(window)].map(({ index }) => index);
    // The last one may go on behind the window, so it is looked at again as the first of the next.
    const isLastWindow = to === end;
    for (const index of found) {
      if (index > 0 && !ABBREVIATION.test(window.slice(Math.max(0, index - 12), index))) starts.push(from + index);
    }
    if (isLastWindow) break;
    const last = found.at(-1) ?? 0;
    from = last > 0 ? from + last : afterLastBlank(text, from, to);
  }
  return starts;
}

/** Where the next window begins when one holds no end of a sentence: at a word where there is one. */
function afterLastBlank(text: string, from: number, to: number): number {
  for (let index = to - 1; index > from; index--) if (/\s/.test(text.charAt(index))) return index + 1;
  const isSplitPair = text.charCodeAt(to - 1) >= 0xd800 && text.charCodeAt(to - 1) < 0xdc00;
  return isSplitPair ? to - 1 : to;
}
