import { readFileSync } from "node:fs";
import type { Spread } from "./interleave.ts";
import type { Report, ReportedSection } from "./report.ts";
import { align } from "./table.ts";

/**
 * An earlier report.
 * @throws Error for a file that is none.
 */
export function readReport(path: string): Report {
  const report: Report = JSON.parse(readFileSync(path, "utf8"));
  if (typeof report?.benchmarks !== "object" || typeof report.date !== "string")
    throw new Error(`${path} was not written by --json`);
  return report;
}

/** Every ratio of this run next to that of an earlier one, and whether it is better, worse or within the spread. */
export function comparison(now: Report, earlier: Report): string {
  const rows: string[][] = [];
  for (const [name, { sections }] of Object.entries(now.benchmarks)) {
    for (const section of sections) {
      const before = earlier.benchmarks[name]?.sections.find(({ title }) => title === section.title);
      rows.push(...sectionRows(section, before));
    }
  }
  return align([["", "ratio to the floor", "earlier", "now", ""], ...rows]);
}

function sectionRows(section: ReportedSection, before: ReportedSection | undefined): string[][] {
  return Object.entries(section.ratios ?? {}).flatMap(([subject, metrics]) =>
    Object.entries(metrics).map(([metric, ratio]) => {
      const earlier = before?.ratios?.[subject]?.[metric];
      const isMoreBetter = section.moreIsBetter?.includes(metric) ?? false;
      const word = earlier ? change(ratio, earlier, isMoreBetter) : "not measured then";
      return [`${section.title}: ${subject}`, metric, earlier ? text(earlier) : "", text(ratio), word];
    }),
  );
}

function text({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

/** A change is one where neither median lies within the other's extremes. */
export function change(now: Spread, earlier: Spread, isMoreBetter: boolean): "better" | "worse" | "within the spread" {
  const isWithin = (value: number, { min, max }: Spread) => value >= min && value <= max;
  if (isWithin(now.median, earlier) || isWithin(earlier.median, now)) return "within the spread";
  return now.median > earlier.median === isMoreBetter ? "better" : "worse";
}
