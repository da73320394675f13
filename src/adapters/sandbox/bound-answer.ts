import type { SamplingOptions } from "../../core/model.ts";

export interface BoundAnswer {
  readonly text: string;
  readonly finish: "stop" | "length";
}

/** Ends an answer before the first of its stop texts, and after the last word that its number of tokens leaves room for. */
export function boundAnswer(text: string, sampling: SamplingOptions, count: (text: string) => number): BoundAnswer {
  const stopped = beforeStop(text, sampling.stop);
  if (count(stopped) <= sampling.maxOutputTokens) return { text: stopped, finish: "stop" };
  const ends = [0, ...Array.from(stopped.matchAll(/\s+/g), (space) => space.index), stopped.length];
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (count(stopped.slice(0, ends[middle])) <= sampling.maxOutputTokens) low = middle;
    else high = middle - 1;
  }
  return { text: stopped.slice(0, ends[low]), finish: "length" };
}

function beforeStop(text: string, stops: readonly string[]): string {
  let end = text.length;
  for (const stop of stops) {
    const at = stop === "" ? -1 : text.indexOf(stop);
    if (at >= 0) end = Math.min(end, at);
  }
  return text.slice(0, end);
}
