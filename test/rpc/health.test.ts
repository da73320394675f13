import assert from "node:assert/strict";
import { createClient, createRouterTransport } from "@connectrpc/connect";
import { Health, HealthCheckResponse_ServingStatus as Status } from "../../gen/health/v1/health_pb.ts";
import { createHealth } from "../../src/rpc/health.ts";
import { services } from "../../src/rpc/routes.ts";
import { until } from "./support/in-memory.ts";

function start() {
  const health = createHealth(services);
  return { health, client: createClient(Health, createRouterTransport(health.routes)) };
}

describe("health", () => {
  it("is SERVING for the server and each of its services, and NOT_FOUND for others", async () => {
    const { client } = start();
    for (const service of ["", ...services.map(({ typeName }) => typeName)]) {
      assert.equal((await client.check({ service })).status, Status.SERVING);
    }
    await assert.rejects(client.check({ service: "nope" }), /not_found/);
  });

  it("is NOT_SERVING during a fault of our own, until every fault is over", async () => {
    const { client, health } = start();
    health.setFault("ledger_spool", true);
    health.setFault("event_loop", true);
    health.setFault("ledger_spool", false);
    assert.equal((await client.check({})).status, Status.NOT_SERVING);
    health.setFault("event_loop", false);
    assert.equal((await client.check({})).status, Status.SERVING);
  });

  it("lists every service", async () => {
    const { client, health } = start();
    health.setDraining();
    const { statuses } = await client.list({});
    assert.deepEqual(Object.keys(statuses).sort(), ["", ...services.map(({ typeName }) => typeName)].sort());
    assert(Object.values(statuses).every(({ status }) => status === Status.NOT_SERVING));
  });

  it("watched, tells each change once, and ends when draining", async () => {
    const { client, health } = start();
    const seen: Status[] = [];
    const watch = (async () => {
      for await (const { status } of client.watch({})) seen.push(status);
    })();
    await until(() => seen.length === 1);
    health.setFault("a", true);
    await until(() => seen.length === 2);
    health.setFault("b", true);
    health.setFault("b", false);
    health.setFault("a", false);
    await until(() => seen.length === 3);
    health.setDraining();
    await watch;
    assert.deepEqual(seen, [Status.SERVING, Status.NOT_SERVING, Status.SERVING, Status.NOT_SERVING]);
  });

  it("watched for an unknown service, says SERVICE_UNKNOWN and stays", async () => {
    const { client } = start();
    const leave = new AbortController();
    const seen: Status[] = [];
    await assert.rejects(async () => {
      for await (const { status } of client.watch({ service: "nope" }, { signal: leave.signal })) {
        seen.push(status);
        leave.abort();
      }
    });
    assert.deepEqual(seen, [Status.SERVICE_UNKNOWN]);
  });
});
