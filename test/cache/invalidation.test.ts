import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { InterceptingCall, type Interceptor, status } from "@grpc/grpc-js";
import { AdminService, type PurgeCacheRequestSchema } from "../../gen/sluice/v1/admin_service_pb.ts";
import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, type Completion } from "../../gen/sluice/v1/completion_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import type { Input } from "../faults/scenario-input.ts";
import { GrpcCaller, isServiceError } from "../support/grpc-caller.ts";
import { useTemporaryFolder } from "../support/temporary-folder.ts";
import { tier } from "../support/tiers.ts";
import { eventually, PATIENCE_MS } from "./eventually.ts";
import { useFleet } from "./fleet.ts";
import { answer, type Question, slowAnswer } from "./provider.ts";

const tenants = ["acme", "globex"] as const;
type Tenant = (typeof tenants)[number];

const OLD = "The harbour as it was.";
const NEW = "The harbour as it is.";

type Purge = Exclude<MessageInitShape<typeof PurgeCacheRequestSchema>, { $typeName: string }>;

/** One entry of the cache, by who asked for it and how. */
interface Asked {
  readonly tenant: Tenant;
  readonly question: Question;
  readonly input: Input;
}

interface PurgeCase {
  readonly name: string;
  readonly purge: Purge;
  /** Which of the entries of `everyKind` go. */
  goes(kind: Kind): boolean;
}

type Kind = ReturnType<typeof everyKind>[number];

/** Entries that differ in all that a purge can name. */
function everyKind() {
  const ways = [
    { prompt: "", version: "", model: "only" },
    { prompt: "", version: "", model: "other" },
    { prompt: "describe", version: "v1", model: "only" },
    { prompt: "describe", version: "v2", model: "only" },
    { prompt: "recall", version: "v1", model: "other" },
  ];
  return tenants.flatMap((tenant) => ways.map((way) => ({ tenant, ...way })));
}

const purges: readonly PurgeCase[] = [
  { name: "everything of its own tenant", purge: { everything: true }, goes: ({ tenant }) => tenant === "acme" },
  {
    name: "everything of another tenant",
    purge: { tenant: "globex", everything: true },
    goes: ({ tenant }) => tenant === "globex",
  },
  {
    name: "a prompt, in all its versions",
    purge: { allTenants: true, promptName: "describe" },
    goes: ({ prompt }) => prompt === "describe",
  },
  {
    name: "one version of a prompt, for one tenant",
    purge: { tenant: "globex", promptName: "describe", promptVersion: "v1" },
    goes: ({ tenant, prompt, version }) => tenant === "globex" && prompt === "describe" && version === "v1",
  },
  { name: "a model", purge: { allTenants: true, model: "other" }, goes: ({ model }) => model === "other" },
  {
    name: "a model's answers to one prompt",
    purge: { allTenants: true, promptName: "recall", model: "other" },
    goes: ({ prompt, model }) => prompt === "recall" && model === "other",
  },
  { name: "everything", purge: { allTenants: true, everything: true }, goes: () => true },
];

tier("redis", (redis) => {
  describe("what two processes keep in memory", function () {
    this.timeout(60_000);
    const folder = useTemporaryFolder();
    const fleet = useFleet(async () => {
      await writePrompt(folder("describe"), "v1", "Describe what you are shown.");
      await writePrompt(folder("describe"), "v2", "Describe what you are shown, briefly.");
      await writePrompt(folder("recall"), "v1", "Recall what you know of what you are shown.");
      const model = { provider: "main", context_tokens: 8192 };
      return {
        redis_url: await redis.url(),
        prompts_dir: folder(),
        models: { only: { ...model, model: "only-1" }, other: { ...model, model: "other-1" } },
        auth: { api_keys: [...tenants.map((tenant) => key(tenant, tenant)), { ...key("boss", "acme"), admin: true }] },
      };
    });
    const callers = new Map<string, GrpcCaller>();
    after(() => {
      for (const caller of callers.values()) caller.close();
    });

    /** Of a key at one of the processes. */
    const callerOf = (name: string, process: number): GrpcCaller => {
      const id = `${name} ${process}`;
      const address = fleet().pair()[process]?.server.address ?? "";
      const caller = callers.get(id) ?? new GrpcCaller(address, { interceptors: [bearer(name)] });
      callers.set(id, caller);
      return caller;
    };
    const ask = async ({ tenant, input }: Asked, process: number, more: Input = {}): Promise<Completion> => {
      const request = { input: { ...input, ...more } };
      const caller = callerOf(tenant, process);
      const { completion } = await caller.unary(PipelineService.method.complete, request, { timeoutMs: PATIENCE_MS });
      assert.ok(completion);
      return completion;
    };
    /** It is answered by the old answer, and is in the memory of both. */
    const warm = async (asked: Asked) => {
      for (const process of [0, 1, 0, 1]) assert.equal((await ask(asked, process)).text, OLD);
      assert.equal(asked.question.calls.length, 1);
    };
    const isNew = (asked: Asked, process: number) =>
      eventually(async () => ((await ask(asked, process)).text === NEW ? true : undefined));

    it("is dropped in the other one when an answer is refreshed", async () => {
      const asked = asks(fleet().provider.question(answer(OLD), answer(NEW)), "acme");
      await warm(asked);
      const refreshed = await ask(asked, 0, { cache: { mode: CacheMode.REFRESH } });
      assert.equal(refreshed.text, NEW);
      await isNew(asked, 1);
      assert.equal(asked.question.calls.length, 2);
      assert.equal((await ask(asked, 0)).cacheStatus, CacheStatus.MEMORY_HIT);
      assert.equal((await ask(asked, 1)).cacheStatus, CacheStatus.MEMORY_HIT);
    });

    for (const { name, purge, goes } of purges) {
      it(`is dropped in both by a purge of ${name}, and the rest stays`, async () => {
        const entries = everyKind().map((kind) => {
          const asked = asks(fleet().provider.question(answer(OLD), answer(NEW)), kind.tenant, kind);
          return { asked, isPurged: goes(kind) };
        });
        await Promise.all(entries.map(({ asked }) => warm(asked)));
        const response = await callerOf("boss", 0).unary(AdminService.method.purgeCache, purge);
        const purged = entries.filter(({ isPurged }) => isPurged);
        assert.ok(Number(response.purgedFromMemory) >= purged.length);
        assert.ok(Number(response.purgedFromShared) >= purged.length);
        for (const { asked } of purged) {
          assert.equal((await ask(asked, 0)).text, NEW);
          await isNew(asked, 1);
          assert.equal(asked.question.calls.length, 2);
        }
        for (const { asked } of entries.filter(({ isPurged }) => !isPurged)) {
          for (const process of [0, 1]) {
            const { text, cacheStatus } = await ask(asked, process);
            assert.deepEqual([text, cacheStatus], [OLD, CacheStatus.MEMORY_HIT]);
          }
          assert.equal(asked.question.calls.length, 1);
        }
      });
    }

    it("does not keep an answer that was being made when the purge came, unless it is another tenant's", async () => {
      const [purged, kept] = tenants.map((tenant) =>
        asks(fleet().provider.question(slowAnswer("Old. ", 10, 100), answer(NEW)), tenant),
      );
      assert.ok(purged && kept);
      const first = [ask(purged, 0), ask(kept, 0)];
      await Promise.all([purged.question.received(1), kept.question.received(1)]);
      await callerOf("boss", 1).unary(AdminService.method.purgeCache, { everything: true });
      for (const { text } of await Promise.all(first)) assert.equal(text, "Old. ".repeat(10));
      for (const process of [0, 1]) {
        assert.equal((await ask(purged, process)).text, NEW);
        assert.equal((await ask(kept, process)).text, "Old. ".repeat(10));
      }
      assert.equal(purged.question.calls.length, 2);
      assert.equal(kept.question.calls.length, 1);
    });

    it("is not purged by a key that may not", async () => {
      const asked = asks(fleet().provider.question(answer(OLD), answer(NEW)), "acme");
      await warm(asked);
      await assert.rejects(
        callerOf("acme", 0).unary(AdminService.method.purgeCache, { everything: true }),
        (error) => isServiceError(error) && error.code === status.PERMISSION_DENIED,
      );
      assert.equal((await ask(asked, 0)).text, OLD);
    });
  });
});

function asks(
  question: Question,
  tenant: Tenant,
  { prompt, version, model }: Omit<Kind, "tenant"> = { prompt: "", version: "", model: "only" },
): Asked {
  if (prompt === "") return { tenant, question, input: question.input({ model }) };
  const input = { prompt: { name: prompt, version, variables: { text: question.text } }, model };
  return { tenant, question, input };
}

function key(id: string, tenant: string) {
  return { id, tenant, sha256: createHash("sha256").update(secret(id)).digest("hex") };
}

function secret(id: string): string {
  return `key-of-${id}-for-tests`;
}

function bearer(id: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set("authorization", `Bearer ${secret(id)}`);
        next(metadata, listener);
      },
    });
}

async function writePrompt(folder: string, version: string, system: string): Promise<void> {
  const schema = {
    type: "object",
    properties: { text: { type: "string" } },
    required: ["text"],
    additionalProperties: false,
  };
  const front = { description: system, input: { schema }, example: { text: "A harbour." } };
  await mkdir(folder, { recursive: true });
  // JSON is YAML.
  await writeFile(
    `${folder}/${version}.prompt`,
    `---\n${JSON.stringify(front)}\n---\n@system\n${system}\n\n@user\n{{text}}\n`,
  );
}
