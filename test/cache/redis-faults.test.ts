import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, type Completion } from "../../gen/sluice/v1/completion_pb.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { tier } from "../support/tiers.ts";
import { completed } from "./checks.ts";
import { eventually } from "./eventually.ts";
import { ask, type Member, type Method, useFleet } from "./fleet.ts";
import { answer, PRICE_NANO_USD, type Question, slowAnswer } from "./provider.ts";

const TEXT = "The harbour lies open to the north.";
const BURST = 10;
const ROUNDS = 3;

/** Many times what a call may wait for Redis, and less than a mute connection is kept. */
const IN_TROUBLE_MS = 3_000;

/** A Redis behind a proxy for each process, and an open connection to it that goes around them. */
interface Store {
  server: RedisServer;
  readonly proxies: readonly [TcpProxy, TcpProxy];
  readonly admin: Redis;
  /** Starts it anew on its port after it was ended. */
  restart(): Promise<void>;
}

const inTrouble = { deadlineMs: IN_TROUBLE_MS };

/** What goes wrong, and what ends it. Nothing in the service is touched for either. */
interface Trouble {
  readonly name: string;
  /** Over at once: the service may be back before the first call. */
  readonly isBrief?: boolean;
  hurt(store: Store): Promise<unknown> | unknown;
  heal(store: Store): Promise<unknown> | unknown;
}

const each = ({ proxies }: Store, act: (proxy: TcpProxy) => void) => proxies.forEach(act);

function cutAndRefuse(proxy: TcpProxy): void {
  proxy.refuse();
  proxy.cut();
}

function cutAndResume(proxy: TcpProxy): void {
  proxy.cut();
  proxy.resume();
}

const troubles: readonly Trouble[] = [
  {
    name: "far slower than its budget",
    hurt: (store) => each(store, (proxy) => proxy.delay(300)),
    heal: (store) => each(store, (proxy) => proxy.delay(0)),
  },
  {
    name: "stalled",
    hurt: (store) => each(store, (proxy) => proxy.stall()),
    heal: (store) => each(store, (proxy) => proxy.resume()),
  },
  {
    name: "stalled, and then cut off",
    hurt: (store) => each(store, (proxy) => proxy.stall()),
    heal: (store) => each(store, cutAndResume),
  },
  {
    name: "cut off in the middle",
    isBrief: true,
    hurt: (store) => each(store, (proxy) => proxy.cut()),
    heal: () => {},
  },
  {
    name: "refusing connections",
    hurt: (store) => each(store, cutAndRefuse),
    heal: ({ proxies }) => Promise.all(proxies.map((proxy) => proxy.accept())),
  },
  { name: "killed and restarted", hurt: ({ server }) => server.stop("SIGKILL"), heal: (store) => store.restart() },
  {
    name: "full",
    hurt: ({ admin }) => admin.config("SET", "maxmemory", "1mb"),
    heal: ({ admin }) => admin.config("SET", "maxmemory", "0"),
  },
  {
    name: "a read-only replica",
    hurt: ({ admin }) => admin.replicaof("127.0.0.1", "1"),
    heal: ({ admin }) => admin.replicaof("NO", "ONE"),
  },
  {
    name: "asking for another password",
    async hurt({ admin }) {
      await admin.config("SET", "requirepass", "another");
      await admin.client("KILL", "SKIPME", "YES");
    },
    heal: ({ admin }) => admin.config("SET", "requirepass", ""),
  },
];

tier("redis", (redis) => {
  describe("a Redis in trouble, under two processes", function () {
    this.timeout(60_000);
    let store: Store;
    const fleet = useFleet(async () => {
      store = await startStore(redis.start);
      return (index) => ({ redis_url: `redis://127.0.0.1:${store.proxies[index]?.port}` });
    });
    after("stops Redis", async () => {
      store.admin.disconnect();
      for (const proxy of store.proxies) await proxy.close();
      await store.server.stop();
    });

    /** A new question is answered in one process and found in the other one, sooner or later. */
    const shares = async () => {
      const { provider, pair } = fleet();
      const [first, second] = pair();
      await eventually(async () => {
        const question = provider.question(answer(TEXT));
        completed(await ask(first, "complete", question), TEXT);
        const { cacheStatus } = completed(await ask(second, "complete", question), TEXT);
        return cacheStatus === CacheStatus.SHARED_HIT ? true : undefined;
      });
    };

    for (const { name, hurt, heal, isBrief = false } of troubles) {
      it(`fails no call while it is ${name}, and is used again by itself after that`, async () => {
        const { provider, members } = fleet();
        await shares();
        const known = provider.question(answer(TEXT));
        for (const member of members) completed(await ask(member, "complete", known), TEXT);
        const paidBefore = known.calls.length;
        await hurt(store);
        try {
          for (let round = 0; round < ROUNDS; round += 1) {
            const question = provider.question(answer(TEXT));
            const asked = await Promise.all(members.flatMap((member) => burst(member, question, inTrouble)));
            const paid = checkPayments(asked, question, members.length);
            assert.ok(isBrief || paid === members.length, "nothing is shared: the trouble is real");
            for (const member of members) {
              const { cacheStatus } = completed(await ask(member, "stream", known, inTrouble), TEXT);
              assert.equal(cacheStatus, CacheStatus.MEMORY_HIT);
            }
          }
        } finally {
          await heal(store);
        }
        assert.equal(known.calls.length, paidBefore);
        await shares();
        for (const { server } of members) assert.ok(!server.output().includes('"level":"error"'), server.output());
      });
    }

    it("leaves nobody without an answer when it stalls while one process makes it and the other waits", async () => {
      const { provider, members, pair } = fleet();
      const [leader, other] = pair();
      await shares();
      const question = provider.question(slowAnswer("Slowly. ", 20, 50));
      const leading = burst(leader, question, { text: "Slowly. ".repeat(20) });
      await question.received(1);
      const following = burst(other, question, { text: "Slowly. ".repeat(20) });
      await pause(200);
      each(store, (proxy) => proxy.stall());
      try {
        checkPayments(await Promise.all([...leading, ...following]), question, members.length);
      } finally {
        each(store, (proxy) => proxy.resume());
      }
      await shares();
    });

    it("tells a process, when it is back, what was refreshed while it alone was cut off", async () => {
      const { provider, members, pair } = fleet();
      const [first, second] = pair();
      await shares();
      const question = provider.question(answer(TEXT), answer("The harbour as it is now."));
      for (const member of members) completed(await ask(member, "complete", question), TEXT);
      const [, proxy] = store.proxies;
      cutAndRefuse(proxy);
      try {
        const refresh = { more: { cache: { mode: CacheMode.REFRESH } } };
        completed(await ask(first, "complete", question, refresh), "The harbour as it is now.");
        completed(await ask(second, "complete", question), TEXT);
      } finally {
        await proxy.accept();
      }
      await eventually(async () => {
        const { completion } = await ask(second, "complete", question);
        return completion?.text === TEXT ? undefined : completion;
      });
      completed(await ask(second, "complete", question), "The harbour as it is now.");
      // It may be told before its other connection is back, and then pays itself.
      assert.ok(question.calls.length <= 3);
      await shares();
    });
  });

  describe("a service that starts", function () {
    this.timeout(60_000);
    const fleet = useFleet(async () => ({ redis_url: "redis://127.0.0.1:1" }));

    it("answers while Redis is away from the beginning, and shares flights within its process", async () => {
      const { provider, members } = fleet();
      const question = provider.question(answer(TEXT));
      const asked = await Promise.all(members.flatMap((member) => burst(member, question)));
      checkPayments(asked, question, members.length);
    });
  });
});

/** The same question many times at once; the completions of what must not fail. */
function burst(
  member: Member,
  question: Question,
  { text = TEXT, ...settings }: { text?: string; deadlineMs?: number } = {},
): Promise<Completion>[] {
  const methods = Array.from({ length: BURST }, (_, index): Method => (index % 2 === 0 ? "complete" : "stream"));
  return methods.map(async (method) => completed(await ask(member, method, question, settings), text));
}

/** Each process pays at most once for what it cannot share with the others. How often was paid. */
function checkPayments(completions: readonly Completion[], question: Question, processes: number): number {
  const paid = completions.filter(({ cacheStatus }) => cacheStatus === CacheStatus.MISS);
  assert.equal(question.calls.length, paid.length, "who paid says so");
  assert.ok(paid.length >= 1 && paid.length <= processes, `${paid.length} paid`);
  for (const completion of completions) {
    assert.equal(completion.costNanoUsd, paid.includes(completion) ? PRICE_NANO_USD : 0n);
  }
  return paid.length;
}

async function startStore(start: (port?: number) => Promise<RedisServer>): Promise<Store> {
  const server = await start();
  const { port } = server;
  const proxies = [await startTcpProxy(port), await startTcpProxy(port)] as const;
  const admin = new Redis(server.url, { maxRetriesPerRequest: null });
  // It is ended on purpose.
  admin.on("error", () => {});
  const store: Store = {
    server,
    proxies,
    admin,
    async restart() {
      store.server = await start(port);
    },
  };
  return store;
}
