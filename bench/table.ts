import type { Ratios, Section } from "./benchmark.ts";
import type { Spread } from "./interleave.ts";
import { type RatioTable, ratioTable, verdict } from "./ratios.ts";

/** A section of a report for people. */
export function sectionText(section: Section): string {
  if (section.kind === "ratios") return ratiosText(section);
  const rows = section.rows.map((row) => row.map((value) => (typeof value === "number" ? number(value) : value)));
  return `${section.title}\n${section.remark}\n${align([section.columns, ...rows])}`;
}

function ratiosText(section: Ratios): string {
  const ratios = ratioTable(section);
  const settings = Object.entries(section.settings ?? {}).map(([name, value]) => `${name} ${value}`);
  return [
    section.title,
    ...(settings.length > 0 ? [settings.join(", ")] : []),
    table(section, ratios),
    ...(section.targets ?? []).map((target) => verdict(ratios, target)).filter((line) => line !== undefined),
    ...(section.remarks ?? []),
  ].join("\n");
}

function number(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}

/**
 * A table of medians with their spread, a row for each subject; after them, for each metric of `ratiosOf`, the median of
 * the rounds' ratios to the floor, with their spread.
 */
export function table(
  { results, floor, ratiosOf }: Pick<Ratios, "results" | "floor" | "ratiosOf">,
  ratios: RatioTable = ratioTable({ results, floor, ratiosOf }),
): string {
  const metrics = Object.keys(results.values().next().value ?? {});
  const rows = [...results].map(([name, result]) => [
    name,
    ...metrics.map((metric) => cell(result[metric], round)),
    ...ratiosOf.map((metric) => (name === floor ? "1" : cell(ratios[name]?.[metric], (value) => value.toFixed(2)))),
  ]);
  return align([["", ...metrics, ...ratiosOf.map((metric) => `${metric} / floor`)], ...rows]);
}

/** The extremes are left out where they are the median. */
function cell(value: Spread | undefined, format: (value: number) => string): string {
  if (!value) return "";
  const [median, min, max] = [value.median, value.min, value.max].map(format);
  return min === median && max === median ? `${median}` : `${median} (${min}–${max})`;
}

function round(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

/** Rows of texts as columns, two spaces apart. */
export function align(rows: string[][]): string {
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
