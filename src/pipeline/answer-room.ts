import type { AnswerEvent } from "./answer.ts";
import type { FlightRoom } from "./flight.ts";

/** How many characters of an answer may wait for the fastest of its readers before its provider is no longer read. */
const MAX_UNREAD_CHARACTERS = 256 * 1024;

/** The room of flights that make answers, in characters of text. What is no delta is small, or the end. */
export const answerRoom: FlightRoom<AnswerEvent> = {
  sizeOf: (event) => (event.kind === "delta" ? event.text.length : 1),
  maxUnread: MAX_UNREAD_CHARACTERS,
};
