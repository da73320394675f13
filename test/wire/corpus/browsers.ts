import type { WireCase } from "../case.ts";
import { nameOf, type Speech, speeches } from "../speech.ts";
import { answers } from "./browsers/answers.ts";
import { bodies } from "./browsers/bodies.ts";
import { compression } from "./browsers/compression.ts";
import { requests } from "./browsers/requests.ts";
import { times } from "./browsers/times.ts";

/** A case of one speech, whose name does not say so yet. */
export type BrowserCase = Omit<WireCase, "speech">;

const topics: readonly ((speech: Speech) => readonly BrowserCase[])[] = [answers, bodies, compression, requests, times];

/** Streams of answers to browsers, by what is spoken. */
export const browsers: Readonly<Record<string, readonly WireCase[]>> = Object.fromEntries(
  speeches.map((speech) => {
    const cases = topics.flatMap((casesOf) => casesOf(speech));
    return [nameOf(speech), cases.map((one) => ({ ...one, name: `${one.name} (${nameOf(speech)})`, speech }))];
  }),
);
