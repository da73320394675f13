import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import type { Effort, Section } from "./benchmark.ts";
import { type RatioTable, ratioTable } from "./ratios.ts";

/** What a run leaves behind in JSON, for `--compare` and for people. */
export interface Report {
  /** When the run ended, ISO 8601. */
  date: string;
  effort: Effort;
  versions: Record<string, string>;
  machine: { cores: number; model: string; memoryGb: number; system: string };
  benchmarks: Record<string, { otherWork: number | null; sections: ReportedSection[] }>;
}

/** A section with its ratios, and whatever else it says. */
export interface ReportedSection {
  title: string;
  ratios?: RatioTable;
  moreIsBetter?: string[];
  [more: string]: unknown;
}

/** What a benchmark found, and the share of the machine that other work took meanwhile. */
export interface Measured {
  name: string;
  sections: Section[];
  otherWork: number;
}

export function createReport(effort: Effort, measured: readonly Measured[]): Report {
  return {
    date: new Date().toISOString(),
    effort,
    versions: versions(),
    machine: {
      cores: availableParallelism(),
      model: cpus()[0]?.model ?? "unknown",
      memoryGb: Math.round(totalmem() / 2 ** 30),
      system: `${process.platform} ${process.arch} ${release()}`,
    },
    benchmarks: Object.fromEntries(
      measured.map(({ name, otherWork, sections }) => [name, { otherWork, sections: sections.map(reported) }]),
    ),
  };
}

function reported(section: Section): ReportedSection {
  if (section.kind === "counts") return { ...section };
  return { ...section, results: Object.fromEntries(section.results), ratios: ratioTable(section) };
}

/** Of Node and of every package that the service or its benchmarks may use. */
function versions(): Record<string, string> {
  const manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const { node = "", v8 = "", nghttp2 = "" } = process.versions;
  return { node, v8, nghttp2, sluice: manifest.version, ...manifest.dependencies };
}

/** Where and when it was measured, for people. */
export function conditions({ date, effort, versions: used, machine }: Report): string {
  const { cores, model, memoryGb, system } = machine;
  return `${date}, ${effort}: Node ${used.node}, ${cores} cores (${model}), ${memoryGb} GB, ${system}`;
}
