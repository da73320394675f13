import type { Section } from "./benchmark.ts";
import type { Result, Spread } from "./interleave.ts";

/** A section of a report for people. */
export function sectionText(section: Section): string {
  if (section.kind === "ratios") return `${section.title}\n${table(section.results, section.floor, section.ratiosOf)}`;
  const rows = section.rows.map((row) => row.map((value) => (typeof value === "number" ? number(value) : value)));
  return `${section.title}\n${section.remark}\n${align([section.columns, ...rows])}`;
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/**
 * A table of medians with their spread, a row for each subject; after them, for each metric of `ratiosOf`, the median as
 * a multiple of the floor's.
 */
export function table(results: Map<string, Result>, floor: string, ratiosOf: string[]): string {
  const metrics = Object.keys(results.values().next().value ?? {});
  const median = (name: string, metric: string) => results.get(name)?.[metric]?.median ?? Number.NaN;
  const rows = [...results].map(([name, result]) => [
    name,
    ...metrics.map((metric) => cell(result[metric])),
    ...ratiosOf.map((metric) => (median(name, metric) / median(floor, metric)).toFixed(2)),
  ]);
  return align([["", ...metrics, ...ratiosOf.map((metric) => `${metric} / floor`)], ...rows]);
}

function cell(value: Spread | undefined): string {
  return value ? `${round(value.median)} (${round(value.min)}–${round(value.max)})` : "";
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function align(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
