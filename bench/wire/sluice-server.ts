// The server as the service has it (front door, key, deadline, validation, error table), over a pipeline that validates
// its input and has the answer ready.
import { createHash } from "node:crypto";
import { createCheckCompiler } from "../../src/adapters/cel-checks/index.ts";
import { createJsonSchemas } from "../../src/adapters/json-schema/index.ts";
import { systemClock } from "../../src/core/clock.ts";
import { silentLog } from "../../src/core/log.ts";
import type { Pipeline } from "../../src/core/pipeline.ts";
import { validate, warmValidation } from "../../src/pipeline/validate.ts";
import { createAuthenticator } from "../../src/rpc/auth.ts";
import { createCallSetup } from "../../src/rpc/call/call-setup.ts";
import { createRoutes } from "../../src/rpc/routes.ts";
import { startServer } from "../../src/rpc/server.ts";
import { fakePorts } from "../../test/rpc/support/fake-ports.ts";
import { apiKey, completion, streamEvent } from "./messages.ts";
import { Metronome } from "./metronome.ts";
import { serverSettings } from "./server-settings.ts";

const { deltas, perSecond, wire, validates = true } = serverSettings();
const ports = { schemas: createJsonSchemas(), checks: createCheckCompiler() };
const metronome = perSecond > 0 ? new Metronome(perSecond) : undefined;

const notMeasured = () => Promise.reject(new Error("is not measured"));

const pipeline: Pipeline = {
  async complete(_call, input) {
    if (validates) validate(ports, input);
    return completion;
  },
  async *stream(_call, input) {
    if (validates) validate(ports, input);
    const slot = metronome?.join() ?? 0;
    for (let index = 0; ; index += 1) {
      const event = streamEvent(index, deltas);
      if (!event) return;
      yield event;
      if (metronome) await new Promise<void>((resolve) => metronome.wait(slot, resolve));
    }
  },
  explain: notMeasured,
  embed: notMeasured,
  retrieve: notMeasured,
  putDocuments: notMeasured,
  reembed: () => {
    throw new Error("is not measured");
  },
};

warmValidation();
const server = await startServer({
  host: "127.0.0.1",
  port: 0,
  cors: [],
  hosts: [],
  // Above what is measured: the bounds are checked all the same.
  limits: { maxConnections: 20_000 },
  calls: createCallSetup({
    clock: systemClock,
    log: silentLog,
    authenticator: createAuthenticator([
      { id: "bench", tenant: "bench", sha256: createHash("sha256").update(apiKey).digest("hex") },
    ]),
    deadlineMs: 600_000,
    maxDeadlineMs: 600_000,
    maxCalls: 20_000,
  }),
  routes: createRoutes(fakePorts({ pipeline })),
  clock: systemClock,
  log: silentLog,
  wire,
});
console.log(JSON.stringify({ port: server.port }));
