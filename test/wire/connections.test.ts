import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientHttp2Session } from "node:http2";
import { Health } from "../../gen/health/v1/health_pb.ts";
import { until } from "../rpc/support/in-memory.ts";
import { closeServers } from "../rpc/support/test-server.ts";
import { type Answer, decodeAnswer } from "./answer.ts";
import { asks, complete, framed, message, sends, streamComplete, type WireCase } from "./case.ts";
import { openSession, play } from "./recording.ts";
import { wires } from "./wire.ts";
import { startWireServer, type WireServer } from "./wire-server.ts";

const sessions: ClientHttp2Session[] = [];

function connected(server: WireServer): ClientHttp2Session {
  const session = openSession(server);
  sessions.push(session);
  return session;
}

async function call(
  session: ClientHttp2Session,
  server: WireServer,
  wireCase: Omit<WireCase, "name" | "ends">,
): Promise<Answer> {
  const received = await play({ name: "", ends: "", ...wireCase }, session, server);
  return decodeAnswer(received, wireCase.method ?? complete);
}

for (const wire of wires) {
  describe(`a connection over the ${wire} wire`, () => {
    afterEach(async () => {
      for (const session of sessions.splice(0)) session.destroy();
      await closeServers();
    });

    it("carries a hundred calls at once, each of which gets its own answer", async () => {
      const server = await startWireServer(wire);
      const session = connected(server);
      const numbers = Array.from({ length: 100 }, (_, index) => index);
      const answers = await Promise.all(
        numbers.map((number) => {
          const method = number % 2 === 0 ? complete : streamComplete;
          return call(session, server, { method, steps: asks(`messages=20\nnumber ${number}`) });
        }),
      );
      for (const number of numbers) {
        const { ends, messages } = answers[number] ?? {};
        assert.equal(ends, number % 2 === 0 ? "0 with 1 message" : "0 with 20 messages");
        const texts = JSON.stringify(messages).match(/number \d+/g);
        assert.deepEqual(new Set(texts), new Set([`number ${number}`]));
      }
      assert.equal(server.calls.inFlight(), 0);
    });

    it("lets half of its calls be cancelled while the others go on, and keeps nothing of them", async () => {
      const server = await startWireServer(wire);
      const session = connected(server);
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) =>
          call(session, server, {
            method: streamComplete,
            steps:
              index % 2 === 0
                ? [{ send: framed(message("messages=5 then=hang")) }, "half-close", { await: "headers" }, { reset: 8 }]
                : asks("messages=50"),
          }),
        ),
      );
      const ends = new Set(answers.map((answer) => answer.ends.replace(/ with [1-5] messages?$/, "")));
      assert.deepEqual(ends, new Set(["reset 8", "0 with 50 messages"]));
      await until(() => server.calls.inFlight() === 0);
      assert.equal(server.journal.filter((note) => note === "told CANCELLED").length, 50);
    });

    it("is told OVERLOADED one call past the most, and not once one of them has left", async () => {
      const server = await startWireServer(wire, "narrow");
      const session = connected(server);
      const hanging = Array.from({ length: 2 }, () =>
        call(session, server, { steps: [...asks("then=hang"), { await: { handler: /never/ } }] }).catch(
          () => "given up",
        ),
      );
      await until(() => server.journal.length === 2);
      assert.equal((await call(session, server, { steps: asks("") })).ends, "14 OVERLOADED");
      session.destroy();
      await Promise.all(hanging);
      await until(() => server.calls.inFlight() === 0);
      assert.equal((await call(connected(server), server, { steps: asks("") })).ends, "0 with 1 message");
    });

    it("says goodbye when the server drains, and lets its calls finish", async () => {
      const server = await startWireServer(wire);
      const session = connected(server);
      const goAway = once(session, "goaway");
      const calls = [complete, streamComplete].map((method) =>
        call(session, server, { method, headers: { "grpc-timeout": "300m" }, steps: asks("messages=1 then=hang") }),
      );
      await until(() => server.journal.length === 2);
      const drained = server.drain(5000);
      await goAway;
      const answers = await Promise.all(calls);
      assert.deepEqual(
        answers.map(({ ends }) => ends),
        ["4 DEADLINE_EXCEEDED", "4 DEADLINE_EXCEEDED with 1 message"],
      );
      assert.deepEqual(await drained, { clean: true });
    });

    it("is cut off when the drain takes too long, and the handler is told", async () => {
      const server = await startWireServer(wire);
      const session = connected(server);
      const cut = call(session, server, { steps: asks("then=hang") });
      await until(() => server.journal.length === 1);
      assert.deepEqual(await server.drain(50), { clean: false });
      assert.match((await cut).ends, /^reset/);
      await until(() => server.calls.inFlight() === 0);
      assert.deepEqual(server.journal.slice(1), ["told CANCELLED", "ends"]);
    });

    it("tells those who watch health of the drain, and ends their streams", async () => {
      const server = await startWireServer(wire);
      const watching = call(connected(server), server, {
        method: Health.method.watch,
        steps: [...sends(framed(new Uint8Array())), { await: { messages: 1 } }],
      });
      const drains = await call(connected(server), server, { steps: asks("then=do:drain") });
      assert.equal(drains.ends, "0 with 1 message");
      const { ends, messages } = await watching;
      assert.equal(ends, `0 with ${messages.length} messages`);
      assert.deepEqual(messages.at(-1)?.value, { status: "NOT_SERVING" });
      assert.deepEqual(await server.drain(2000), { clean: true });
    });
  });
}
