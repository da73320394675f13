import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import type { CompleteOptions } from "./complete.ts";
import { UserError } from "./terminal.ts";

const MAX_TTL_SECONDS = 2_592_000;
const MAX_OUTPUT_TOKENS = 1_000_000;
const MAX_TIMEOUT_SECONDS = 86_400;

/**
 * The cache and the length of the answer, as far as options name them.
 * @throws UserError for cache modes that exclude each other, and for numbers that the contract does not take.
 */
export function settingsOf({ ttl, maxOutputTokens, ...modes }: CompleteOptions) {
  const mode = modeOf(modes);
  if (mode === CacheMode.BYPASS && ttl !== undefined) throw new UserError("--ttl: nothing is kept with --no-cache");
  const cache = {
    ...(mode !== undefined && { mode }),
    ...(ttl !== undefined && { ttlSeconds: wholeNumber("--ttl", ttl, MAX_TTL_SECONDS) }),
  };
  return {
    ...(Object.keys(cache).length > 0 && { cache }),
    ...(maxOutputTokens !== undefined && {
      generation: { maxOutputTokens: wholeNumber("--max-output-tokens", maxOutputTokens, MAX_OUTPUT_TOKENS) },
    }),
  };
}

type Modes = Pick<CompleteOptions, "cache" | "refresh" | "onlyIfCached">;

function modeOf({ cache, refresh, onlyIfCached }: Modes): CacheMode | undefined {
  const modes = [
    { option: "--no-cache", isAsked: !cache, mode: CacheMode.BYPASS },
    { option: "--refresh", isAsked: refresh, mode: CacheMode.REFRESH },
    { option: "--only-if-cached", isAsked: onlyIfCached, mode: CacheMode.ONLY_IF_CACHED },
  ];
  const [first, second] = modes.filter(({ isAsked }) => isAsked);
  if (first && second) throw new UserError(`${first.option} and ${second.option}: only one of them`);
  return first?.mode;
}

function wholeNumber(option: string, text: string, most: number): number {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > most) throw new UserError(`${option}: must be a whole number from 1 to ${most}`);
  return number;
}

/** Seconds, with decimals where they are, as whole milliseconds. @throws UserError. */
export function timeoutMsOf(text: string): number {
  const ms = /^\d{1,5}(?:\.\d{1,3})?$/.test(text) ? Math.round(Number(text) * 1000) : 0;
  if (ms < 1 || ms > MAX_TIMEOUT_SECONDS * 1000) {
    throw new UserError(`--timeout: must be a number of seconds from 0.001 to ${MAX_TIMEOUT_SECONDS}, such as 30`);
  }
  return ms;
}
