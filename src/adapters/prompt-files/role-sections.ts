import type { ChatMessage } from "../../core/model.ts";
import type { ProblemReport } from "./problems.ts";

/** The template of one message. */
export interface RoleSection {
  readonly role: ChatMessage["role"];
  readonly template: string;
  /** Line of the file on which the template begins. */
  readonly line: number;
}

/** Which roles a prompt must have: a caller's prompt ends with the user's turn, a built-in part need not. */
export type SectionRule = "ends_with_user" | "any_roles";

const MARKER = /^@([a-z]+)$/;
const ESCAPED_MARKER = /^\\(\\*@[a-z]+)$/;
const ALMOST_MARKER = /^\s*@(?:system|user|assistant)\s*:?\s*$/i;

/**
 * Splits the body at its role markers, lines that are exactly `@system`, `@user` or `@assistant`. This happens in the
 * source, before anything is filled in, so no value can ever begin a section. A line `\@user` is the text `@user`.
 */
export function splitSections(
  lines: readonly string[],
  firstLine: number,
  rule: SectionRule,
  report: ProblemReport,
): readonly RoleSection[] {
  const sections: RoleSection[] = [];
  let open: { readonly role: ChatMessage["role"]; readonly markerLine: number; readonly lines: string[] } | undefined;
  const close = () => {
    if (open) sections.push(section(open.role, open.lines, open.markerLine, report));
  };
  let strayText = false;
  lines.forEach((line, index) => {
    const number = firstLine + index;
    const word = MARKER.exec(line)?.[1];
    if (word !== undefined) {
      close();
      open = { role: readRole(word, number, report), markerLine: number, lines: [] };
      return;
    }
    if (ALMOST_MARKER.test(line)) {
      report.add(
        "role_marker",
        `this looks like a role marker; write it alone, as @user, or escape it as \\@user`,
        number,
      );
    }
    if (open) open.lines.push(line.replace(ESCAPED_MARKER, "$1"));
    else if (line.trim() !== "" && !strayText) {
      strayText = true;
      report.add("text_before_role", "text must stand below a role marker: @system, @user or @assistant", number);
    }
  });
  close();
  checkRoles(sections, firstLine, rule, report);
  return sections;
}

function readRole(word: string, line: number, report: ProblemReport): ChatMessage["role"] {
  if (word === "system" || word === "user" || word === "assistant") return word;
  report.add("unknown_role", `@${word} is no role; use @system, @user or @assistant, or \\@${word} for the text`, line);
  return "user";
}

function section(
  role: ChatMessage["role"],
  lines: readonly string[],
  markerLine: number,
  report: ProblemReport,
): RoleSection {
  const first = lines.findIndex((line) => line.trim() !== "");
  if (first < 0) {
    report.add("empty_section", `the section @${role} is empty`, markerLine);
    return { role, template: "", line: markerLine };
  }
  const last = lines.findLastIndex((line) => line.trim() !== "");
  return { role, template: lines.slice(first, last + 1).join("\n"), line: markerLine + 1 + first };
}

function checkRoles(sections: readonly RoleSection[], line: number, rule: SectionRule, report: ProblemReport): void {
  const last = sections.at(-1);
  if (!last) report.add("no_sections", "the prompt has no text: add a section that begins with the line @user", line);
  else if (rule === "ends_with_user" && last.role !== "user") {
    report.add("last_section", "the last section must be @user: it is the turn that the model answers", last.line);
  }
}
