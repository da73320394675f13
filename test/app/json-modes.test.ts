import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CompletionInputSchema } from "../../gen/sluice/v1/completion_input_pb.ts";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { GrpcCaller } from "../support/grpc-caller.ts";
import { type RunningServer, startServer } from "../support/running-server.ts";
import { completion, failure, type ScriptedUpstream, startScriptedUpstream } from "../support/scripted-upstream.ts";

type Input = Exclude<MessageInitShape<typeof CompletionInputSchema>, { $typeName: string }>;

const read = (file: string) => readFileSync(`examples/documents/${file}`, "utf8");

/** With the digits of a model that writes cents, which must reach the caller. */
const INVOICE =
  '{"supplier":"Nordkai","invoice_number":"N-1","date":"2024-10-17","due_date":null,"currency":"EUR","lines":[' +
  '{"description":"Line","quantity":6,"unit_price":214.00,"amount":1284.00}],"subtotal":1284.00,"tax":0.00,"total":1284.00}';
const TICKET = '{"reason":"The export stops.","category":"bug","priority":"normal"}';

/** Both JSON prompts, with a good answer, one that keeps the adapted schema alone, and a piece of their example. */
const prompts: readonly { name: string; input: Input; good: string; bad: string; rule: string; example: string }[] = [
  {
    name: "extract-invoice",
    input: { prompt: { name: "extract-invoice", variables: { document: read("invoice.txt") } } },
    good: INVOICE,
    bad: INVOICE.replace('"EUR"', '"euros"'),
    rule: "pattern",
    example: "Lindqvist Paper AB",
  },
  {
    name: "classify-ticket",
    input: { prompt: { name: "classify-ticket", variables: { ticket: read("ticket.txt") } } },
    good: TICKET,
    bad: TICKET.replace("The export stops.", ""),
    rule: "minLength",
    example: "charged twice",
  },
];

const modes = ["json_schema", "json_object", "prompt"] as const;

interface Format {
  readonly type: string;
  readonly json_schema?: { readonly strict: boolean; readonly schema: Readonly<Record<string, unknown>> };
}

describe("asking a provider for JSON", function () {
  this.timeout(60_000);
  let upstream: ScriptedUpstream;
  let server: RunningServer;
  let caller: GrpcCaller;
  /** The answers to come; the last one is given again. A status is a refusal of the JSON mode. */
  let answers: readonly (string | number)[] = [];

  before(async () => {
    upstream = await startScriptedUpstream(() => {
      const [next, ...rest] = answers;
      if (rest.length) answers = rest;
      return typeof next === "string"
        ? completion(next)
        : failure(next ?? 400, { message: "Invalid schema for response_format", param: "response_format" });
    });
    const model = (mode: string) => ({
      provider: "main",
      model: `a-${mode}`,
      context_tokens: 32_768,
      structured_output: mode,
      stream_upstream: false,
    });
    server = await startServer({
      config: {
        providers: { main: { base_url: `${upstream.url}/v1`, api_key: "k", template_tokens: "text" } },
        models: {
          ...Object.fromEntries(modes.map((mode) => [mode, model(mode)])),
          ...Object.fromEntries(modes.map((mode) => [`${mode}-up`, { ...model(mode), escalate_to: "strong" }])),
          strong: { ...model("json_object"), model: "strong-1" },
        },
        retry: { max_corrections: 1 },
      },
    });
    caller = new GrpcCaller(server.address);
  });

  after(async () => {
    caller.close();
    await server.stop();
    await upstream.close();
  });

  /** The answer, or its status message, and the requests that it took. */
  async function ask(input: Input, upcoming: readonly (string | number)[]) {
    answers = upcoming;
    const before = upstream.calls.length;
    const outcome = await caller
      .unary(PipelineService.method.complete, { input: { ...input, generation: { seed: nextSeed() } } })
      .then(
        ({ completion: answer }) => ({ text: answer?.text, error: "" }),
        (error: Error) => ({ text: undefined, error: error.message }),
      );
    const requests = upstream.calls.slice(before).map(({ json }) => ({
      format: json?.response_format as Format | undefined,
      model: json?.model,
      words: JSON.stringify(json?.messages),
    }));
    return { ...outcome, requests, first: requests[0] ?? assert.fail("nothing was asked") };
  }

  // Calls that differ in their seed share no cache entry.
  let seed = 0n;
  const nextSeed = () => (seed += 1n);

  for (const { name, input, good, bad, rule, example } of prompts) {
    for (const model of modes) {
      it(`asks ${name} in the mode ${model}, with all that the mode needs and nothing twice`, async () => {
        const { text, requests, first } = await ask({ ...input, model }, [good]);
        assert.equal(text, good);
        assert.equal(requests.length, 1);
        assert.equal(first.format?.type, model === "prompt" ? undefined : model);
        const isInWords = model !== "json_schema";
        assert.equal(first.words.includes("additionalProperties"), isInWords, "the schema in the prompt");
        assert.equal(first.words.includes(example), isInWords, "the example in the prompt");
        assert.equal(first.format?.json_schema?.strict, isInWords ? undefined : true);
        assert.equal(JSON.stringify(first.format ?? "").includes(`{\\"${rule}\\":`), !isInWords, "limits in words");
      });

      it(`takes no answer to ${name} in the mode ${model} that breaks a rule the mode does not enforce`, async () => {
        const failed = await ask({ ...input, model }, [bad]);
        assert.equal(failed.text, undefined);
        assert.match(failed.error, /^15 DATA_LOSS/);
        assert.equal(failed.requests.length, 2, "one correction");
        const corrected = await ask({ ...input, model }, [bad, good]);
        assert.equal(corrected.text, good);
        assert.deepEqual(
          corrected.requests.map(({ format }) => format),
          [corrected.first.format, corrected.first.format],
        );
        assert.ok(corrected.requests[1]?.words.includes(rule), "the rule is named");
      });

      it(`asks the stronger model in its own mode where ${name} stays bad in the mode ${model}`, async () => {
        const { text, requests } = await ask({ ...input, model: `${model}-up` }, [bad, bad, good]);
        assert.equal(text, good);
        assert.equal(requests.length, 3);
        assert.equal(requests[2]?.model, "strong-1");
        assert.equal(requests[2]?.format?.type, "json_object");
        assert.ok(requests[2]?.words.includes(example), "the example in the prompt");
      });
    }
  }

  it("asks in words, with schema and example, where the provider refuses its own mode", async () => {
    const [invoice] = prompts;
    const { text, requests } = await ask({ ...invoice?.input, model: "json_schema" }, [400, INVOICE]);
    assert.equal(text, INVOICE);
    assert.deepEqual(
      requests.map(({ format }) => format?.type),
      ["json_schema", undefined],
    );
    assert.ok(requests[1]?.words.includes("Lindqvist Paper AB"));
  });

  it("makes an example where none was given, and asks in words for what is no object", async () => {
    const schema =
      '{"type":"array","minItems":1,"items":{"type":"object","properties":{"code":{"type":"string","pattern":"^[A-Z]{3}$"},"on":{"type":"string","format":"date"}},"required":["code","on"]}}';
    const messages = [{ role: Role.USER, content: [{ content: { case: "text" as const, value: "Which flights?" } }] }];
    const output = { format: { case: "json" as const, value: { schema } } };
    for (const model of modes) {
      const { text, first } = await ask({ messages, output, model }, ['[{"code":"OSL","on":"2024-10-17"}]']);
      assert.equal(text, '[{"code":"OSL","on":"2024-10-17"}]');
      assert.equal(first.format, undefined);
      assert.ok(first.words.includes(JSON.stringify('[{"code":"AAA","on":"2000-01-31"}]').slice(1, -1)));
    }
  });
});
