import assert from "node:assert/strict";
import { until } from "../rpc/support/in-memory.ts";
import { closeServers } from "../rpc/support/test-server.ts";
import { type Wire, wires } from "../wire/wire.ts";
import { ECHO_HEADER, startWireServer, type WireServer } from "../wire/wire-server.ts";

const longText = "x".repeat(5000);
const services = ["Admin", "Corpus", "Model", "Pipeline", "Prompt", "Usage"].map((name) => `sluice.v1.${name}Service`);

/**
 * What every client does with its own language's gRPC, over either wire. `asks` is the model of the request, which the
 * server takes for its script (see test/wire/scripted-pipeline.ts); `gives` is what the client must print.
 */
export const steps = {
  unary: { asks: "\nÅse 語 😀", gives: { code: 0, text: "Åse 語 😀" } },
  stream: { asks: "messages=1000\nx", gives: { code: 0, messages: 1000, in_order: true } },
  deadline: { asks: "then=hang", timeout_ms: 1000, gives: { code: 4, reason: "DEADLINE_EXCEEDED" } },
  cancel_unary: { asks: "then=hang", after_ms: 200, gives: { code: 1 } },
  cancel_stream: { asks: "messages=2 then=hang", after_messages: 2, gives: { code: 1, messages: 2 } },
  error: {
    asks: "then=fail:UNKNOWN_MODEL",
    gives: { code: 5, reason: "UNKNOWN_MODEL", nearest: ["some text"], pushback: "-1" },
  },
  message: {
    asks: 'then=fail:PERMISSION_DENIED\nÅse: 100% 語, "a"\nand a second line',
    gives: { code: 7, message: 'not allowed: Åse: 100% 語, "a"\nand a second line' },
  },
  metadata: {
    asks: "",
    metadata: { [ECHO_HEADER]: "yes", "echo-header-a": "h", "echo-trailer-a": "t" },
    binary: { "echo-trailer-bin": [0, 1, 255] },
    gives: { code: 0, header: "h", trailer: "t", binary: [0, 1, 255] },
  },
  gzip: {
    asks: `\n${longText}`,
    metadata: { [ECHO_HEADER]: "yes" },
    gives: { code: 0, text: longText, encoding: "gzip" },
  },
  large: { asks: `\n${"x".repeat(70_000)}`, gives: { code: 8 } },
  unimplemented: { path: "/sluice.v1.PipelineService/Nope", gives: { code: 12 } },
  reflection: { gives: { services } },
  /** Asks for the drain on another call once the first status has come. */
  watch: { asks: "then=do:drain", gives: { code: 0, statuses: ["SERVING", "NOT_SERVING"] } },
} as const;

export type StepName = keyof typeof steps;

/** The steps as JSON, for clients in other languages. */
export const stepsJson = JSON.stringify(steps);

/**
 * Defines the tests of a client over either wire. `perform` does the steps, but for those it is `without`, and gives what
 * each of them gave. `leaves` is how many handlers it leaves at work, a unary one and a stream by default.
 */
export function testsOfClient(
  client: string,
  perform: (server: WireServer) => Promise<ReadonlyMap<string, unknown>>,
  { without = [], leaves = 2 }: { without?: readonly StepName[]; leaves?: number } = {},
): void {
  const names = Object.keys(steps).filter((name): name is StepName => isStep(name) && !without.includes(name));
  for (const wire of wires) {
    describe(`${client} over the ${wire} wire`, () => {
      let server: WireServer;
      let given: ReadonlyMap<string, unknown>;

      before(`lets ${client} perform the steps`, async function () {
        this.timeout(120_000);
        server = await startWireServer(wire satisfies Wire);
        given = await perform(server);
      });
      after(closeServers);

      for (const name of names) {
        it(`does the step ${name}`, () => assert.deepEqual(given.get(name), steps[name].gives));
      }

      it("leaves no handler at work that was not told", async () => {
        await until(() => server.calls.inFlight() === 0);
        const told = server.journal.filter((note) => note === "told CANCELLED").length;
        assert.equal(told, leaves);
      });
    });
  }
}

function isStep(name: string): name is StepName {
  return Object.hasOwn(steps, name);
}

/** What a program printed: one JSON object a line, each with the name of its step. */
export function givenSteps(output: string): ReadonlyMap<string, unknown> {
  const lines = output.split("\n").filter((line) => line.startsWith("{"));
  return new Map(
    lines.map((line) => {
      const { step, ...gives }: { step: string } = JSON.parse(line);
      return [step, gives];
    }),
  );
}
