import type { Clock } from "../../core/clock.ts";
import { type Segment, SegmentFile, segmentPath } from "./segment-file.ts";

export interface SegmentLimits {
  /** A segment is sealed before a write that would make it larger. */
  readonly segmentBytes: number;
  /** A segment is sealed at the first chance after this time, so that its space can be given back. */
  readonly segmentAgeMs: number;
}

/** The segments of this process, oldest first; the last one is being written. One call to `append` or `seal` at a time. */
export class SegmentWriter {
  readonly #dir: string;
  readonly #limits: SegmentLimits;
  readonly #clock: Clock;
  readonly #segments: Segment[] = [];
  #current: SegmentFile | undefined;
  #lastNumber = 0;

  constructor(dir: string, limits: SegmentLimits, clock: Clock) {
    this.#dir = dir;
    this.#limits = limits;
    this.#clock = clock;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Whether the current segment is old enough to be sealed although it has room. */
  get isAged(): boolean {
    const current = this.#current;
    return current !== undefined && this.#clock.monotonicMs() - current.createdMs >= this.#limits.segmentAgeMs;
  }

  /** Writes whole lines and says into which segment. After an error none of them counts as written. */
  async append(lines: Buffer, records: number): Promise<Segment> {
    const tooLarge = this.#current !== undefined && this.#current.bytes + lines.length > this.#limits.segmentBytes;
    if (tooLarge || this.isAged) await this.seal();
    const segment = this.#current ?? (await this.#create());
    await segment.append(lines, records);
    return segment;
  }

  /** Makes all that was written survive a power cut. */
  async sync(): Promise<void> {
    await this.#current?.sync();
  }

  /** Seals the current segment, if there is one: the next record begins another. */
  async seal(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    await current?.seal();
  }

  /** Forgets the oldest segment, which was sealed and whose file is gone. */
  forget(segment: Segment): void {
    const index = this.#segments.indexOf(segment);
    if (index !== -1) this.#segments.splice(index, 1);
  }

  async #create(): Promise<SegmentFile> {
    this.#lastNumber += 1;
    const path = segmentPath(this.#dir, this.#lastNumber);
    const segment = await SegmentFile.create(path, this.#clock.monotonicMs());
    this.#current = segment;
    this.#segments.push(segment);
    return segment;
  }
}
