/** `header {`, the lines indented by one step, and `}`. */
export function block(header: string, lines: string[]): string[] {
  return [`${header} {`, ...indent(lines), "}"];
}

/** The lines, each non-empty one indented by one step. */
export function indent(lines: string[]): string[] {
  return lines.map((line) => (line === "" ? "" : `  ${line}`));
}

/** The groups of lines, those that are empty left out, with an empty line between them. */
export function spaced(groups: string[][]): string[] {
  return groups.filter((group) => group.length > 0).flatMap((group, index) => (index === 0 ? group : ["", ...group]));
}

/** A string literal of the proto language: printable ASCII as it is, every other byte of the UTF-8 as an octal escape. */
export function quote(text: string): string {
  const bytes = [...Buffer.from(text, "utf8")].map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
    if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
    return `\\${byte.toString(8).padStart(3, "0")}`;
  });
  return `"${bytes.join("")}"`;
}
