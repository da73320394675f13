/** Sentences of more characters than this are cut at their words; texts have at most so many sentences. */
const MAX_SENTENCE_CHARACTERS = 600;
const MAX_SENTENCES = 4_000;

/** A full stop after one of these does not end a sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|No|Nr|Inc|Ltd|Co|vs|etc|approx|e\.g|i\.e|z\.B|bzw|ca)\.$/;

const LIST_MARK = /^(?:[-*•>]|#{1,6}|\d{1,3}[.)])\s+/;

/** "From: Ann", a line of its own in letters and forms. */
export const LABELLED_LINE = /^\p{Lu}[\p{L} -]{0,30}: \S/u;

/**
 * The sentences of a text in order, without list marks and with single spaces. Lines that follow one another are one
 * paragraph; headings, list items, labelled lines and
 * lines that end with a colon stand alone.
 */
export function sentencesOf(text: string): readonly string[] {
  const sentences: string[] = [];
  for (const block of blocksOf(text)) {
    for (const sentence of sentencesOfBlock(block)) {
      if (sentences.length >= MAX_SENTENCES) return sentences;
      sentences.push(sentence);
    }
  }
  return sentences;
}

function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  let block: string[] = [];
  const flush = () => {
    if (block.length > 0) blocks.push(block.join(" "));
    block = [];
  };
  for (const raw of text.split(/\r\n?|\n/)) {
    const line = raw.trim();
    const labelled = LABELLED_LINE.test(line);
    if (line === "" || labelled || LIST_MARK.test(line) || line.endsWith(":")) flush();
    if (line === "") continue;
    block.push(line.replace(LIST_MARK, "").replace(/\s+/g, " "));
    if (labelled || /^#{1,6}\s/.test(line) || line.endsWith(":")) flush();
  }
  flush();
  return blocks;
}

function sentencesOfBlock(block: string): string[] {
  const sentences: string[] = [];
  let start = 0;
  for (const end of block.matchAll(/[.!?…]["'”’)\]]{0,3}(?=\s)|[。！？]/g)) {
    const stop = end.index + end[0].length;
    const sentence = block.slice(start, stop);
    if (end[0] === "." && ABBREVIATION.test(sentence.slice(-12))) continue;
    sentences.push(bounded(sentence.trim()));
    start = stop;
  }
  sentences.push(bounded(block.slice(start).trim()));
  return sentences.filter((sentence) => /[\p{L}\p{N}]/u.test(sentence));
}

function bounded(sentence: string): string {
  if (sentence.length <= MAX_SENTENCE_CHARACTERS) return sentence;
  const cut = sentence.slice(0, MAX_SENTENCE_CHARACTERS);
  const space = cut.lastIndexOf(" ");
  return `${(space > 0 ? cut.slice(0, space) : cut).toWellFormed()}…`;
}
