import assert from "node:assert/strict";
import { closeServers } from "../rpc/support/test-server.ts";
import type { WireCase } from "./case.ts";
import { auth } from "./corpus/auth.ts";
import { bodies } from "./corpus/bodies.ts";
import { browsers } from "./corpus/browsers.ts";
import { cancels } from "./corpus/cancels.ts";
import { compression } from "./corpus/compression.ts";
import { deadlines } from "./corpus/deadlines.ts";
import { decoding } from "./corpus/decoding.ts";
import { metadata } from "./corpus/metadata.ts";
import { readers } from "./corpus/readers.ts";
import { requests } from "./corpus/requests.ts";
import { services } from "./corpus/services.ts";
import { statuses } from "./corpus/statuses.ts";
import { type Difference, declaredDifferences } from "./declared-differences.ts";
import { normalForm } from "./normal-form.ts";
import { type Recording, record } from "./recording.ts";
import { type Wire, wires } from "./wire.ts";
import { type ServerKind, startWireServer, type WireServer } from "./wire-server.ts";

const corpus: Readonly<Record<string, readonly WireCase[]>> = {
  statuses,
  deadlines,
  cancels,
  compression,
  bodies,
  decoding,
  metadata,
  readers,
  requests,
  services,
  auth,
  ...browsers,
};

/** A caller that speaks something else than gRPC has it in its name; some differences are the same for all of them. */
function withoutSpeech(name: string): string {
  return name.replace(/ \([a-z+-]+ over HTTP\/[\d.]+\)$/, "");
}

function differenceOf({ name }: WireCase): Difference | undefined {
  return declaredDifferences.get(name) ?? declaredDifferences.get(`any: ${withoutSpeech(name)}`);
}

/** What must be alike. Where the calls do not end alike, all that tells of their end is not. */
function withoutDifference(recording: Recording, difference: Difference | undefined): Partial<Recording> {
  if (!difference) return recording;
  const { native, connect } = difference.sides;
  const { connection, handler, log } = recording;
  const alike = native.ends === connect.ends ? recording : { connection, handler, log };
  return { ...alike, ...connect };
}

for (const [topic, cases] of Object.entries(corpus)) {
  describe(`on both wires, a caller (${topic})`, () => {
    const servers = new Map<string, Promise<WireServer>>();
    after(closeServers);

    async function recordOn(wire: Wire, wireCase: WireCase): Promise<Recording> {
      const kind: ServerKind = wireCase.server ?? "plain";
      const server = servers.get(`${wire} ${kind}`) ?? startWireServer(wire, kind);
      servers.set(`${wire} ${kind}`, server);
      return normalForm(await record(wireCase, await server));
    }

    for (const wireCase of cases) {
      it(wireCase.name, async () => {
        const recordings = await Promise.all(wires.map((wire) => recordOn(wire, wireCase)));
        const difference = differenceOf(wireCase);
        for (const [index, wire] of wires.entries()) {
          const { ends, handler } = { ...wireCase, ...difference?.sides[wire] };
          const recording = recordings[index];
          assert.equal(recording?.ends, ends, wire);
          if (handler) assert.deepEqual(recording?.handler, handler, wire);
          assert.deepEqual({ ...recording, ...difference?.sides[wire] }, recording, wire);
        }
        const [native, connect] = recordings.map((recording) => withoutDifference(recording, difference));
        assert.deepEqual(native, connect);
      });
    }
  });
}

it("every declared difference is about a case of the corpus", () => {
  const names = Object.values(corpus).flatMap((cases) => cases.map(({ name }) => name));
  const known = new Set(names.flatMap((name) => [name, `any: ${withoutSpeech(name)}`]));
  assert.equal(new Set(names).size, names.length, "two cases have one name");
  for (const name of declaredDifferences.keys()) assert.ok(known.has(name), name);
});
