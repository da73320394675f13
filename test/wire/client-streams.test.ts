import assert from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import { type StringValue, StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { systemClock } from "../../src/core/clock.ts";
import { SluiceError } from "../../src/core/failure.ts";
import { createAuthenticator } from "../../src/rpc/auth.ts";
import { createCallSetup } from "../../src/rpc/call/call-setup.ts";
import { createHealth } from "../../src/rpc/health.ts";
import { startServer } from "../../src/rpc/server.ts";
import { memoryLog } from "../rpc/support/test-server.ts";
import { framed, type Step, sends, type WireCase } from "./case.ts";
import { failures } from "./failures.ts";
import { normalForm } from "./normal-form.ts";
import { type Recording, record } from "./recording.ts";
import { streamingService } from "./streaming-service.ts";
import { type Wire, wires } from "./wire.ts";
import type { WireServer } from "./wire-server.ts";

const text = (value: string) => framed(toBinary(StringValueSchema, create(StringValueSchema, { value })));

/** What the text says is done when it is read; other texts are given back. */
async function* answers(journal: string[], texts: AsyncIterable<StringValue>) {
  journal.push("starts");
  try {
    for await (const { value } of texts) {
      journal.push(`reads ${value}`);
      if (value === "stop") return;
      if (value === "fail") throw new SluiceError(failures("x").CACHE_MISS);
      if (value === "bug") throw new TypeError("the scripted bug");
      yield value;
    }
  } catch (error) {
    journal.push(error instanceof SluiceError || error instanceof TypeError ? "fails" : "is interrupted");
    throw error;
  } finally {
    journal.push("ends");
  }
}

/** Collect gives all texts at once, Converse each as it comes. */
function methods(journal: string[]): ServiceImpl<typeof streamingService> {
  return {
    async collect(texts) {
      const all: string[] = [];
      for await (const value of answers(journal, texts)) all.push(value);
      return { value: all.join(" ") };
    },
    async *converse(texts) {
      for await (const value of answers(journal, texts)) yield { value };
    },
  };
}

async function startStreaming(wire: Wire): Promise<WireServer> {
  const journal: string[] = [];
  const log = memoryLog();
  const limits = { deadlineMs: 10_000, maxDeadlineMs: 20_000, maxCalls: 100 };
  const calls = createCallSetup({ clock: systemClock, log, authenticator: createAuthenticator([]), ...limits });
  const server = await startServer({
    ...{ host: "127.0.0.1", port: 0, cors: [], hosts: [], clock: systemClock },
    ...{ wire, calls, log, limits: { messageBytes: 1024 } },
    routes: (router) => void router.service(streamingService, methods(journal)),
  });
  return { ...server, calls, log, journal, health: createHealth([]) };
}

interface StreamCase extends Pick<WireCase, "name" | "steps" | "headers"> {
  /** How Collect ends, and Converse. */
  readonly collects: string;
  readonly converses: string;
}

const reads = (value: string): Step => ({ await: { handler: new RegExp(`reads ${value}`) } });
const send = (value: string): Step => ({ send: text(value) });

const cases: readonly StreamCase[] = [
  {
    name: "sends three texts",
    steps: sends(text("a"), text("b"), text("c")),
    collects: "0 with 1 message",
    converses: "0 with 3 messages",
  },
  { name: "sends nothing", steps: ["half-close"], collects: "0 with 1 message", converses: "0" },
  {
    name: "sends one text after the other",
    steps: [send("a"), reads("a"), send("b"), reads("b"), "half-close"],
    collects: "0 with 1 message",
    converses: "0 with 2 messages",
  },
  {
    name: "is answered before it has sent all",
    steps: [send("a"), send("stop"), { await: "answer" }],
    collects: "0 with 1 message",
    converses: "0 with 1 message",
  },
  {
    name: "is failed before it has sent all",
    steps: [send("a"), send("fail"), { await: "answer" }],
    collects: "9 CACHE_MISS",
    converses: "9 CACHE_MISS with 1 message",
  },
  {
    name: "meets a bug",
    steps: sends(text("a"), text("bug")),
    collects: "13 INTERNAL",
    converses: "13 INTERNAL with 1 message",
  },
  {
    name: "sends a text that is too large after one that is not",
    steps: [send("a"), reads("a"), ...sends(text("x".repeat(2000)))],
    collects: "8",
    converses: "8 with 1 message",
  },
  {
    name: "sends what does not decode after what does",
    steps: [send("a"), reads("a"), ...sends(framed(Buffer.of(0x0f)))],
    collects: "3 INVALID_REQUEST",
    converses: "3 INVALID_REQUEST with 1 message",
  },
  {
    name: "sends half a text after a whole one",
    steps: [send("a"), reads("a"), ...sends(text("long").subarray(0, 7))],
    collects: "3 INVALID_REQUEST",
    converses: "3 INVALID_REQUEST with 1 message",
  },
  {
    name: "is out of time while it sends",
    headers: { "grpc-timeout": "200m" },
    steps: [send("a"), { await: "answer" }],
    collects: "4 DEADLINE_EXCEEDED",
    converses: "4 DEADLINE_EXCEEDED with 1 message",
  },
  {
    name: "leaves while it sends",
    steps: [send("a"), reads("a"), { pauseMs: 30 }, "drop connection"],
    collects: "reset 0",
    converses: "http 200 with 1 message",
  },
];

describe("on both wires, a gRPC caller that streams its request", () => {
  const servers: WireServer[] = [];
  before(async () => {
    for (const wire of wires) servers.push(await startStreaming(wire));
  });
  after(() => Promise.all(servers.map((server) => server.close())));

  for (const { collects, converses, ...streamCase } of cases) {
    for (const [name, ends] of [
      ["collect", collects],
      ["converse", converses],
    ] as const) {
      it(`${streamCase.name} (${name})`, async () => {
        const method = streamingService.method[name];
        const recordings = await Promise.all(servers.map((server) => record({ ...streamCase, ends, method }, server)));
        const [native, connect] = recordings.map((recording): Recording => normalForm(recording));
        assert.deepEqual([native?.ends, connect?.ends], [ends, ends]);
        assert.deepEqual(native, connect);
      });
    }
  }
});
