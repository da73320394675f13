import { type MarkdownNode, parseMarkdown } from "./parse.ts";

/** What a reader sees of the content of a heading, in one line. For short texts: the parser may take quadratic time. */
export function inlineText(markdown: string): string {
  // Most headings hold no markup at all. An escape before the text keeps it from being read as a block.
  if (!/[\\`*_[\]<>&!]/.test(markdown)) return oneLine(markdown);
  return oneLine(textOf(parseMarkdown(`# ${markdown.replaceAll("\n", " ")}`)));
}

function textOf(node: MarkdownNode): string {
  if (node.type === "html") return "";
  if (node.value !== undefined) return node.value;
  if (node.alt !== undefined) return node.alt ?? "";
  return (node.children ?? []).map(textOf).join("");
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
