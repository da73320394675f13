import { fromMarkdown, type Options } from "mdast-util-from-markdown";

/** What we need of a node. Offsets in UTF-16 code units of the text that was parsed. */
export interface MarkdownNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly depth?: number;
  readonly children?: readonly MarkdownNode[];
  readonly value?: string;
  readonly alt?: string | null;
}

/**
 * What stands within a line does not matter to blocks. Left out, the parser is twice as fast, and takes no quadratic time
 * for a million brackets.
 */
const blocksOnly: Options = {
  extensions: [
    {
      disable: {
        null: [
          ...["attention", "autolink", "labelEnd", "labelStartImage", "labelStartLink", "codeText", "htmlText"],
          ...["characterEscape", "characterReference", "hardBreakEscape"],
        ],
      },
    },
  ],
};

/** The blocks of a text at its margin, with what they hold. */
export function parseBlocks(text: string): readonly MarkdownNode[] {
  return plain(fromMarkdown(text, blocksOnly)).children ?? [];
}

/** All that is in a text, for short ones. */
export function parseMarkdown(text: string): MarkdownNode {
  return plain(fromMarkdown(text));
}

type Root = ReturnType<typeof fromMarkdown>;

function plain(node: Root | Root["children"][number]): MarkdownNode {
  return {
    type: node.type,
    start: node.position?.start.offset ?? 0,
    end: node.position?.end.offset ?? 0,
    ...("depth" in node && { depth: node.depth }),
    ...("value" in node && { value: node.value }),
    ...("alt" in node && { alt: node.alt ?? null }),
    ...("children" in node && { children: node.children.map(plain) }),
  };
}
