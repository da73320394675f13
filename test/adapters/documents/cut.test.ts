import { deepEqual, equal, ok } from "node:assert/strict";
import { cleanText } from "../../../src/adapters/documents/clean-text.ts";
import { type ChunkSpan, cutIntoChunks } from "../../../src/adapters/documents/cut/cut.ts";
import { sentenceStarts } from "../../../src/adapters/documents/cut/sentences.ts";
import { estimateTokens } from "../../../src/adapters/documents/cut/weight.ts";
import { outlineOfMarkdown } from "../../../src/adapters/documents/markdown/outline.ts";
import type { Block, Outline, Section } from "../../../src/adapters/documents/outline.ts";
import { outlineOfPlainText } from "../../../src/adapters/documents/plain-text.ts";

const small = { maxTokens: 20, overlapTokens: 8 };

function textsOf(outline: Outline, options = small): string[] {
  return cutIntoChunks(outline, options).map(({ start, end }) => outline.text.slice(start, end));
}

describe("cutting a text into chunks", () => {
  it("joins small paragraphs up to the target and never cuts one that fits", () => {
    const paragraph = "Eight short words are in this little one."; // 41 characters: 11 tokens
    deepEqual(textsOf(outlineOfPlainText(["One.", "Two.", paragraph, paragraph].join("\n\n"))), [
      `One.\n\nTwo.\n\n${paragraph}`,
      paragraph,
    ]);
  });

  it("repeats whole sentences where it cuts at a sentence", () => {
    const text = "The first is here. The second is here. The third is here. The fourth is here. The fifth is here.";
    const chunks = textsOf(outlineOfPlainText(text));
    deepEqual(chunks, [
      "The first is here. The second is here. The third is here. The fourth is here.",
      "The fourth is here. The fifth is here.",
    ]);
    deepEqual(textsOf(outlineOfPlainText(text), { maxTokens: 20, overlapTokens: 0 }).at(-1), "The fifth is here.");
  });

  it("never spans two sections, repeats nothing over a heading, and joins a lone heading with the next section", () => {
    const outline = outlineOfMarkdown("# A\n\n## B\n\nText of B.\n\n## C\n\nText of C.\n\n# D\n");
    deepEqual(
      cutIntoChunks(outline, small).map(({ start, end, headingPath }) => [outline.text.slice(start, end), headingPath]),
      [
        ["# A\n\n## B\n\nText of B.", ["A", "B"]],
        ["## C\n\nText of C.", ["A", "C"]],
        ["# D", ["D"]],
      ],
    );
  });

  it("leaves no heading alone at the end of a chunk", () => {
    const long = "A sentence of some words stands here. ".repeat(6).trim();
    const [first] = textsOf(outlineOfMarkdown(`# Heading\n\n${long}`));
    ok(first?.startsWith("# Heading\n\nA sentence"));
  });

  it("keeps fenced code whole where it fits, else cuts it at lines", () => {
    const code = "```ts\nconst one = 1;\nconst two = 2;\n```";
    const before = "Some words are before it, and some more words.";
    deepEqual(textsOf(outlineOfMarkdown(`${before}\n\n${code}`)), [before, code]);
    const lines = Array.from({ length: 12 }, (_, index) => `const value${index} = ${index};`);
    const cut = textsOf(outlineOfMarkdown(`\`\`\`\n${lines.join("\n")}\n\`\`\``));
    ok(cut.length > 1);
    equal(cut.join("\n"), `\`\`\`\n${lines.join("\n")}\n\`\`\``);
  });

  it("cuts lists at items and tables at rows", () => {
    const items = Array.from({ length: 8 }, (_, index) => `- item number ${index}. It has two sentences.`);
    for (const chunk of textsOf(outlineOfMarkdown(items.join("\n")))) ok(/^- .*\.$/s.test(chunk), chunk);
    const rows = Array.from({ length: 12 }, (_, index) => `| row ${index} | value ${index} |`);
    equal(
      textsOf(outlineOfMarkdown(["| a | b |", "|---|---|", ...rows].join("\n")))
        .join("\n")
        .split("\n").length,
      14,
    );
  });

  it("cuts within no word where there are blanks, and within no character where there are none", () => {
    for (const chunk of textsOf(outlineOfPlainText("wörter ".repeat(100)))) ok(/^(wörter ?)+$/.test(chunk), chunk);
    for (const chunk of textsOf(outlineOfPlainText("👩‍👩‍👧".repeat(60)))) ok(/^(👩‍👩‍👧)+$/u.test(chunk), chunk);
    for (const chunk of textsOf(outlineOfPlainText("e\u0301".repeat(200)))) ok(/^(e\u0301)+$/.test(chunk), chunk);
    // A character without an end is cut between code points.
    for (const chunk of textsOf(outlineOfPlainText(`a${"\u{1D165}".repeat(300)}`))) ok(chunk.isWellFormed());
  });

  it("takes no abbreviation, number or line break for the end of a sentence", () => {
    const text = "Dr. Smith, e.g. on page 3.5,\nmet J. Doe. Nobody saw it. 他走了。我来了。";
    const starts = sentenceStarts(text, 0, text.length);
    const sentences = starts.map((start, index) => text.slice(start, starts[index + 1]));
    deepEqual(sentences, ["Dr. Smith, e.g. on page 3.5,\nmet J. Doe. ", "Nobody saw it. ", "他走了。", "我来了。"]);
  });

  it("cuts a megabyte without blanks or paragraphs", () => {
    for (const unit of ["a", "一", "😀", "\u0301", "word ", "Sentence. ", "\n", "[", "a\n"]) {
      const outline = outlineOfPlainText(`x${unit.repeat(Math.floor(1_000_000 / unit.length))}`);
      checkRules(outline, cutIntoChunks(outline, { maxTokens: 320, overlapTokens: 48 }), 320, 48);
    }
  });

  it("keeps its rules for random documents", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const text = randomDocument(seed);
      const outline = seed % 2 === 0 ? outlineOfMarkdown(text) : outlineOfPlainText(text);
      const options = { maxTokens: 8 + (seed % 50), overlapTokens: seed % 5 };
      const chunks = cutIntoChunks(outline, options);
      checkRules(outline, chunks, options.maxTokens, options.overlapTokens, `seed ${seed}`);
      deepEqual(cutIntoChunks(outline, options), chunks);
    }
  });
});

/** What holds for every document, whatever it says. */
function checkRules(
  { text, sections }: Outline,
  chunks: readonly ChunkSpan[],
  maxTokens: number,
  overlapTokens: number,
  name = "",
): void {
  const covered = new Uint8Array(text.length);
  for (const [index, { start, end }] of chunks.entries()) {
    const chunk = text.slice(start, end);
    ok(chunk !== "" && chunk.trim() === chunk && chunk.isWellFormed(), `${name}: ${JSON.stringify(chunk)}`);
    ok(estimateTokens(chunk) <= maxTokens, `${name}: ${estimateTokens(chunk)} tokens`);
    covered.fill(1, start, end);
    const previous = chunks[index - 1];
    if (!previous) continue;
    ok(start > previous.start && end > previous.end, `${name}: order`);
    if (start < previous.end)
      ok(estimateTokens(text.slice(start, previous.end)) <= overlapTokens, `${name}: repeats too much`);
  }
  for (const { blocks } of sections) {
    for (const block of blocks) {
      for (const word of text.slice(block.start, block.end).matchAll(/\S+/g)) {
        const from = block.start + word.index;
        ok(covered.subarray(from, from + word[0].length).every(Boolean), `${name}: ${word[0].slice(0, 50)} is lost`);
      }
    }
    // What a chunk holds before the heading of a section with text is headings without any.
    const [heading, firstText] = blocks;
    if (heading?.kind !== "heading" || !firstText) continue;
    const isLone = (section: Section) => section.blocks.length === 1 && section.blocks[0]?.kind === "heading";
    const others = sections.filter((section) => !isLone(section)).flatMap((section) => section.blocks);
    for (const { start, end } of chunks) {
      if (start >= heading.start || end <= heading.start) continue;
      const spanned: readonly Block[] = others.filter((other) => other.end > start && other.start < heading.start);
      deepEqual(spanned, [], `${name}: a chunk spans two sections`);
    }
  }
}

function randomDocument(seed: number): string {
  let state = seed * 2654435761;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pieces = [
    ...["word ", "Another sentence. ", "e.g. this ", "\n", "\n\n", "\n# ", "\n## ", "\n- ", "\n1. ", "\n> ", "\n```\n"],
    ...[
      "| a | b |\n",
      "    ",
      "\t",
      "一二三。",
      "กขค",
      "👩‍👩‍👧",
      "e\u0301",
      "\ud800",
      "\u0000",
      "\r\n",
      "\u2028",
      "\u00a0",
    ],
    ...[
      "<!-- x -->",
      "\n---\n",
      "\n===\n",
      "[a](b)",
      "longwordwithoutanyblanks".repeat(5),
      "\\",
      "*",
      "«Да.» ",
      "؟ ",
      "\ufeff",
    ],
  ];
  return cleanText(Array.from({ length: next(200) + 1 }, () => pieces[next(pieces.length)]).join(""));
}
