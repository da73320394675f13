import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus } from "../../gen/sluice/v1/completion_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { GrpcCaller } from "../support/grpc-caller.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";
import { type ScriptedUpstream, startScriptedUpstream, streamed, USAGE } from "../support/scripted-upstream.ts";

const KEY = "sk-test-4711-never-shown";

type Input = Exclude<MessageInitShape<typeof CompletionInputSchema>, { $typeName: string }>;

/** With amounts whose digits must reach the caller as the model wrote them. */
const INVOICE =
  '{"supplier":"Nordkai","invoice_number":"NMS-24-00871","date":"2024-10-17","due_date":null,"currency":"EUR","lines":[' +
  '{"description":"Mooring line","quantity":6,"unit_price":214.00,"amount":1284.00}],"subtotal":1284.00,"tax":0.00,"total":1284.00}';

const read = (file: string) => readFileSync(`examples/documents/${file}`, "utf8");
const prompt = (name: string, variables: Record<string, string>, rest: Input = {}): Input => ({
  prompt: { name, variables },
  ...rest,
});

/** Each of the four prompts, on a real document, with a word that tells its request and an answer a model might give. */
const questions: readonly {
  readonly name: string;
  readonly marker: string;
  readonly input: Input;
  readonly answer: string;
}[] = [
  {
    name: "summarize",
    marker: "Tarnwick",
    input: prompt("summarize", { text: read("article.txt") }),
    answer: "The quay sank; it was mended.",
  },
  {
    name: "extract-invoice",
    marker: "NMS-24-00871",
    input: prompt("extract-invoice", { document: read("invoice.txt") }),
    answer: INVOICE,
  },
  {
    name: "classify-ticket",
    marker: "10,000 rows",
    input: prompt("classify-ticket", { ticket: read("ticket.txt") }),
    answer: '{"reason":"The export stops at 10,000 rows.","category":"bug","priority":"normal"}',
  },
  {
    name: "answer-with-sources",
    marker: "Who paid?",
    input: prompt(
      "answer-with-sources",
      { question: "Who paid?" },
      { context: { chunks: [{ id: "log-1", text: "The council paid for the quay." }] } },
    ),
    answer: "The council paid [log-1].",
  },
];

describe("a provider that speaks OpenAI's protocol", function () {
  this.timeout(60_000);
  let upstream: ScriptedUpstream;
  let server: RunningServer;
  let caller: GrpcCaller;

  before(async () => {
    upstream = await startScriptedUpstream((call) => {
      const asked = JSON.stringify(call.json);
      const question = questions.find(({ marker }) => asked.includes(marker));
      return streamed([question?.answer.slice(0, 9) ?? "", question?.answer.slice(9) ?? "?"]);
    });
    const config = {
      providers: { main: { base_url: `${upstream.url}/v1`, api_key: KEY } },
      models: {
        fast: { provider: "main", model: "gpt-5-mini", context_tokens: 32_768, structured_output: "json_schema" },
      },
      prices: { override: [{ model: "gpt-5-mini", prompt_usd_per_million: "0.25", completion_usd_per_million: "2" }] },
    };
    server = await startServer({ config });
    caller = new GrpcCaller(server.address);
  });

  after(async () => {
    caller.close();
    await server.stop();
    await upstream.close();
  });

  for (const { name, input, answer } of questions) {
    it(`answers ${name} once, whole and as a stream, and then from memory`, async () => {
      const before = upstream.calls.length;
      const { completion: first } = await caller.unary(PipelineService.method.complete, { input });
      assert.equal(first?.text, answer);
      assert.equal(first.cacheStatus, CacheStatus.MISS);
      const tokens = BigInt(USAGE.prompt_tokens) * 250n + BigInt(USAGE.completion_tokens) * 2000n;
      assert.equal(first.costNanoUsd, tokens);

      let text = "";
      for await (const { event } of caller.serverStream(PipelineService.method.streamComplete, { input })) {
        if (event.case === "textDelta") text += event.value.text;
        if (event.case !== "finished") continue;
        assert.equal(event.value.completion?.cacheStatus, CacheStatus.MEMORY_HIT);
        assert.equal(event.value.completion.savedNanoUsd, tokens);
      }
      assert.equal(text, answer);
      assert.equal(upstream.calls.length - before, 1);
    });

    it(`streams ${name} as the model writes it`, async () => {
      const fresh = { ...input, attribution: { feature: "stream" }, generation: { seed: 7n } };
      const kinds: string[] = [];
      const parts: [pointer: string, text: string][] = [];
      let text = "";
      for await (const { event } of caller.serverStream(PipelineService.method.streamComplete, { input: fresh })) {
        if (event.case === "jsonPart") parts.push([event.value.pointer, event.value.text]);
        else if (event.case !== kinds.at(-1)) kinds.push(String(event.case));
        if (event.case === "textDelta") text += event.value.text;
      }
      assert.deepEqual(kinds, ["started", "textDelta", "finished"]);
      assert.equal(text, answer);
      const members = parts.filter(([pointer]) => !pointer.includes("/", 1));
      const read = members.map(([pointer, member]) => [pointer.slice(1), JSON.parse(member)]);
      assert.deepEqual(read, answer.startsWith("{") ? Object.entries(JSON.parse(answer)) : []);
    });
  }

  it("gets the key and the schema, and the schema only where JSON is asked for", () => {
    const bodies = upstream.calls.map(({ json }) => JSON.stringify(json));
    assert.equal(bodies.filter((body) => body.includes('"json_schema"')).length, bodies.length / 2);
    for (const { head } of upstream.calls) assert.match(head, new RegExp(`authorization: Bearer ${KEY}`, "i"));
  });

  it("leaves neither its key nor a word of a text in the log", () => {
    const log = server.output();
    assert.match(log, /"event":"llm_call"/);
    for (const word of [KEY, "Tarnwick", "quay", "Nordkai", "council"]) assert.ok(!log.includes(word), word);
  });
});
