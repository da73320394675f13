import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { PromptService } from "../../gen/sluice/v1/prompt_service_pb.ts";
import { fakePrompt, fakePrompts } from "./support/fake-ports.ts";
import { failureOf, inMemory } from "./support/in-memory.ts";

const names = ["alpha", "beta", "delta", "gamma", "omega"];
const prompts = names.flatMap((name) => [fakePrompt(name, "v2"), fakePrompt(name, "v1")]);
const service = (loaded = prompts) => inMemory({ ports: { prompts: fakePrompts(loaded) } }).client(PromptService);

describe("PromptService.ListPrompts", () => {
  it("lists every prompt once, by name, with its versions, highest first", async () => {
    const { prompts: listed, nextPageToken } = await service().listPrompts({});
    assert.deepEqual(
      listed.map(({ latest, versions }) => [latest?.name, latest?.version, versions]),
      names.map((name) => [name, "v2", ["v2", "v1"]]),
    );
    assert.equal(nextPageToken, "");
  });

  it("gives pages that join without a gap, and no token on the last page", async () => {
    const client = service();
    const pages: string[][] = [];
    let pageToken = "";
    do {
      const page = await client.listPrompts({ pageSize: 2, pageToken });
      pages.push(page.prompts.map(({ latest }) => latest?.name ?? ""));
      pageToken = page.nextPageToken;
    } while (pageToken);
    assert.deepEqual(pages, [["alpha", "beta"], ["delta", "gamma"], ["omega"]]);
    assert.equal((await client.listPrompts({ pageSize: 5 })).nextPageToken, "");
  });

  it("goes on at the same place when the prompt that ended a page is gone", async () => {
    const { nextPageToken: pageToken } = await service().listPrompts({ pageSize: 2 });
    const without = prompts.filter(({ name }) => name !== "beta");
    const page = await service(without).listPrompts({ pageSize: 1, pageToken });
    assert.equal(page.prompts[0]?.latest?.name, "delta");
  });

  for (const pageToken of ["x", "MQ", "!!!!", "Mg", Buffer.from("2alpha").toString("base64url"), "MWFscGhh="]) {
    it(`refuses the page token ${pageToken}, naming the field`, async () => {
      const { error, reason, fields } = await failureOf(service().listPrompts({ pageToken }));
      assert.deepEqual([error.code, reason, fields], [Code.InvalidArgument, "INVALID_REQUEST", ["page_token"]]);
    });
  }

  it("takes page sizes up to 1,000, and refuses one past it and negative ones", async () => {
    await service().listPrompts({ pageSize: 1000 });
    for (const pageSize of [1001, -1]) {
      const { reason, fields } = await failureOf(service().listPrompts({ pageSize }));
      assert.deepEqual([reason, fields], ["INVALID_REQUEST", ["page_size"]]);
    }
  });

  it("takes tokens up to 256 bytes, and refuses one past it by its length", async () => {
    const { error } = await failureOf(service().listPrompts({ pageToken: "a".repeat(257) }));
    assert.equal(error.code, Code.InvalidArgument);
  });
});

describe("PromptService.GetPrompt", () => {
  it("shows one version with its source", async () => {
    const { prompt } = await service().getPrompt({ name: "beta", version: "v1" });
    assert.deepEqual([prompt?.reference?.version, prompt?.source], ["v1", "source of beta v1"]);
  });

  it("answers UNKNOWN_PROMPT for a name that is well formed, and INVALID_REQUEST for one that is not", async () => {
    assert.equal((await failureOf(service().getPrompt({ name: "nope" }))).reason, "UNKNOWN_PROMPT");
    const { reason, fields } = await failureOf(service().getPrompt({ name: "../etc", version: "1" }));
    assert.deepEqual([reason, fields], ["INVALID_REQUEST", ["name", "version"]]);
  });
});

describe("PromptService.RenderPrompt", () => {
  it("gives messages of the contract and counts their tokens", async () => {
    const { prompt } = await service().renderPrompt({ prompt: { name: "alpha", variables: { text: "hello" } } });
    assert.deepEqual(
      prompt?.messages.map(({ role, content }) => [role, content.map((part) => part.content.value)]),
      [
        [Role.SYSTEM, ["be brief"]],
        [Role.USER, ["hello"]],
      ],
    );
    assert.equal(prompt?.promptTokens, BigInt("be brief".length + "hello".length + 2 * 3 + 3));
    assert.equal(prompt?.reference?.name, "alpha");
  });

  it("reads variables_json too", async () => {
    const { prompt } = await service().renderPrompt({ prompt: { name: "alpha", variablesJson: '{"text":"hi"}' } });
    assert.equal(prompt?.messages[1]?.content[0]?.content.value, "hi");
  });

  it("names the faulty variable by its path in this request", async () => {
    const fieldsOf = async (prompt: Parameters<ReturnType<typeof service>["renderPrompt"]>[0]["prompt"]) =>
      (await failureOf(service().renderPrompt({ prompt }))).fields;
    assert.deepEqual(await fieldsOf(undefined), ["prompt"]);
    assert.deepEqual(await fieldsOf({ name: "alpha" }), ["prompt.variables.text"]);
    assert.deepEqual(await fieldsOf({ name: "alpha", variables: { text: "a\0b" } }), ["prompt.variables.text"]);
    assert.deepEqual(await fieldsOf({ name: "alpha", variablesJson: "{" }), ["prompt.variables_json"]);
  });
});
