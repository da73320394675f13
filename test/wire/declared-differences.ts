import type { Recording } from "./recording.ts";
import type { Wire } from "./wire.ts";

/** Where the two wires differ on purpose, and why the native one does. Everything that is not said here must be alike. */
export interface Difference {
  readonly why: string;
  /** What each side does. Both are asserted. */
  readonly sides: Readonly<Record<Wire, Partial<Recording>>>;
}

const CALLED = ["Complete starts for local within 10 s", "ends"];
const refused = (reason: string, method = "Complete") => [`call_refused ${reason} sluice.v1.PipelineService/${method}`];
const invalid = { ends: "3 INVALID_REQUEST", log: refused("INVALID_REQUEST"), handler: [] };
const served = { ends: "0 with 1 message", log: [], handler: CALLED };

const reservedFlags: Difference = {
  why: "flags that gRPC reserves announce something that we would misread; the library drops them",
  sides: { native: invalid, connect: served },
};

const unlogged: Difference = {
  why: "a refused call leaves a line; of a stream of answers without a message the library tells nobody",
  sides: { native: { log: refused("UNIMPLEMENTED", "StreamComplete") }, connect: { log: [] } },
};

const keptOpen: Difference = {
  why: "a timeout holds for a conversation, too; the library waits for the caller's next message for good",
  sides: { native: { ends: "4 with 1 message" }, connect: { ends: "reset 8 with 1 message" } },
};

const watchedToTheEnd: Difference = {
  why: "a watch that is out of time has not ended well; the library says that it has",
  sides: { native: { ends: "4 with 1 message" }, connect: { ends: "0 with 1 message" } },
};

const ofStream = (reason: string) => refused(reason, "StreamComplete");
const FLAGS = "a browser's request has no end of its own, and no other flags";
const invalidStream = { ends: invalid.ends, log: ofStream("INVALID_REQUEST"), handler: [] };

/** By the name of the case; after `any:`, for browsers whatever they speak. */
export const declaredDifferences: ReadonlyMap<string, Difference> = new Map([
  ["sends the reserved flags 2", reservedFlags],
  ["sends the reserved flags 128", reservedFlags],
  [
    "sends text instead of a frame",
    {
      why: "its first byte is no flags of gRPC; the library looks at the length first",
      sides: { native: invalid, connect: { ends: "8", handler: [], log: refused("RESOURCE_EXHAUSTED") } },
    },
  ],
  [
    "sends a prefix alone",
    {
      why: "a message was begun and cut off; the library forgets that it was begun",
      sides: { native: invalid, connect: { ends: "12", handler: [], log: refused("UNIMPLEMENTED") } },
    },
  ],
  [
    "sends a message and a prefix",
    {
      why: "a second message was begun and cut off; the library forgets that it was begun",
      sides: { native: invalid, connect: served },
    },
  ],
  ["half-closes a stream at once, without a message", unlogged],
  ["ends its call of a stream with its headers", unlogged],
  ["keeps reflection v1 open beyond its timeout", keptOpen],
  ["keeps reflection v1alpha open beyond its timeout", keptOpen],
  ["watches health for as long as its timeout says", watchedToTheEnd],
  ["any: watches health for as long as its timeout says", watchedToTheEnd],
  ["any: sends no body", unlogged],
  [
    "any: marks its message as the end",
    {
      why: `${FLAGS}; the library skips it, whatever it says`,
      sides: { native: invalidStream, connect: { ends: "12", log: [], handler: [] } },
    },
  ],
  [
    "any: marks its message as another protocol's end",
    {
      why: `${FLAGS}; the library drops them`,
      sides: {
        native: invalidStream,
        connect: {
          ends: "0 with 3 messages",
          log: [],
          handler: ["StreamComplete starts for local within 10 s", "ends"],
        },
      },
    },
  ],
  [
    "says a length that its body has not",
    {
      why: "HTTP/2 itself resets the stream, so that nobody is refused; the library tells of a body that does not decode",
      sides: { native: { log: [] }, connect: { log: refused("INVALID_REQUEST") } },
    },
  ],
]);
