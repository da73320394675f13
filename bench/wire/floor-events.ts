import type { Writable } from "node:stream";
import { toBinary } from "@bufbuild/protobuf";
import { StreamCompleteResponseSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { envelope } from "./envelope.ts";
import { streamEvent } from "./messages.ts";
import { Metronome } from "./metronome.ts";
import type { ServerSettings } from "./server-settings.ts";

/** Writes the events of a stream, as fast as the reader takes them or in time with all others, and calls `done`. */
export function eventWriter({ deltas, perSecond }: ServerSettings): (target: Writable, done: () => void) => void {
  const metronome = perSecond > 0 ? new Metronome(perSecond) : undefined;
  return (target, done) => {
    const slot = metronome?.join() ?? 0;
    let next = 0;
    const write = () => {
      for (;;) {
        const event = streamEvent(next, deltas);
        if (event === undefined) return done();
        next += 1;
        const isTaken = target.write(envelope(toBinary(StreamCompleteResponseSchema, event)));
        // A reader that is slow is waited for before the next one is made.
        if (!isTaken) return void target.once("drain", metronome ? wait : write);
        if (metronome) return wait();
      }
    };
    const wait = () => metronome?.wait(slot, write);
    write();
  };
}
