import type { Attempt } from "../../../gen/sluice/v1/attempt_pb.ts";

/** How much a status may say. Details are built anew with half the room until the whole status fits. */
export interface DetailRoom {
  /** Most entries of each list. */
  readonly items: number;
  /** Most UTF-8 bytes of each text. */
  readonly textBytes: number;
}

/** What fits in all but monstrous failures. */
export const FULL_ROOM: DetailRoom = { items: 16, textBytes: 512 };

/** Lists shrink before texts do; `undefined` when nothing is left to give up. */
export function lessRoom(room: DetailRoom): DetailRoom | undefined {
  if (room.items > 1) return { ...room, items: room.items >> 1 };
  if (room.textBytes > 16) return { ...room, textBytes: room.textBytes >> 1 };
  return undefined;
}

const utf8 = new TextEncoder();

/**
 * The beginning of a text: at most `room.textBytes` bytes of UTF-8, cut between characters, an ellipsis at the cut. Lone
 * surrogates become U+FFFD, since they cannot be encoded. Linear in the bytes that are kept, not in the text.
 */
export function excerpt(text: string, room: DetailRoom): string {
  // A UTF-16 unit is at least one byte, so the rest cannot fit anyway.
  const head = text.slice(0, room.textBytes + 1).toWellFormed();
  if (head.length === text.length && utf8.encode(head).length <= room.textBytes) return head;
  const ellipsis = "…";
  const into = new Uint8Array(room.textBytes - 3);
  const { read } = utf8.encodeInto(head, into);
  return head.slice(0, read) + ellipsis;
}

/** The first entries of a list, each made to fit. */
export function firstOf<T, R>(items: readonly T[], room: DetailRoom, fit: (item: T) => R, most = room.items): R[] {
  return items.slice(0, Math.min(most, room.items)).map(fit);
}

/** At most 8 attempts, oldest first; the last one, whose failure the caller sees, is always among them. */
export function fitAttempts(attempts: readonly Attempt[], room: DetailRoom): Attempt[] {
  const most = Math.min(8, room.items);
  const kept = attempts.length <= most ? attempts : [...attempts.slice(0, most - 1), ...attempts.slice(-1)];
  return kept.map((attempt) => ({
    ...attempt,
    model: excerpt(attempt.model, room),
    provider: excerpt(attempt.provider, room),
  }));
}

const MAX_INT64 = 2 ** 63 - 1024;
const MAX_INT32 = 2 ** 31 - 1;

/** A count as the wire takes it. A number that is none counts as 0: an error must not fail while it is told. */
export function int64(value: number): bigint {
  return Number.isNaN(value) ? 0n : BigInt(Math.trunc(Math.min(Math.max(value, -MAX_INT64), MAX_INT64)));
}

export function int32(value: number): number {
  return Number.isNaN(value) ? 0 : Math.trunc(Math.min(Math.max(value, -MAX_INT32), MAX_INT32));
}
