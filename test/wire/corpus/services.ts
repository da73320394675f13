import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ServerReflection } from "../../../gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "../../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { Health } from "../../../gen/health/v1/health_pb.ts";
import { ModelService } from "../../../gen/sluice/v1/model_service_pb.ts";
import { PipelineService } from "../../../gen/sluice/v1/pipeline_service_pb.ts";
import { PromptService } from "../../../gen/sluice/v1/prompt_service_pb.ts";
import { framed, type Step, sends, type WireCase } from "../case.ts";

function body<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Buffer {
  return framed(toBinary(schema, create(schema, init)));
}

const { check, list, watch } = Health.method;
const cancel: Step = { reset: 8 };
const ANSWERED = "0 with 1 message";

const reflections = [ServerReflection, ServerReflectionAlpha].flatMap((service): WireCase[] => {
  const method = service.method.serverReflectionInfo;
  const { version } = /reflection\.(?<version>v1\w*)\./.exec(service.typeName)?.groups ?? {};
  const ask = (name: string) => body(method.input, { messageRequest: { case: "fileContainingSymbol", value: name } });
  const listing = body(method.input, { messageRequest: { case: "listServices", value: "" } });
  return [
    { name: `asks reflection ${version} for its services`, method, steps: sends(listing), ends: ANSWERED },
    {
      name: `asks reflection ${version} five things at once`,
      method,
      steps: sends(
        listing,
        ask("sluice.v1.CompletionInput"),
        ask("no.such.Symbol"),
        ask("google.rpc.RetryInfo"),
        framed(new Uint8Array()),
      ),
      ends: "0 with 5 messages",
    },
    {
      name: `asks reflection ${version} one thing after the other`,
      method,
      steps: [
        { send: listing },
        { await: { messages: 1 } },
        { send: ask("sluice.v1.PipelineService") },
        { await: { messages: 2 } },
        "half-close",
      ],
      ends: "0 with 2 messages",
    },
    { name: `asks reflection ${version} nothing`, method, steps: ["half-close"], ends: "0" },
    {
      name: `leaves reflection ${version} in the middle`,
      method,
      steps: [{ send: listing }, { await: { messages: 1 } }, cancel],
      ends: "reset 8 with 1 message",
    },
    {
      name: `keeps reflection ${version} open beyond its timeout`,
      method,
      headers: { "grpc-timeout": "150m" },
      steps: [{ send: listing }, { await: { messages: 1 } }, { pauseMs: 300 }, cancel],
      ends: "4 with 1 message",
    },
    {
      name: `sends reflection ${version} a question that does not decode`,
      method,
      steps: [{ send: listing }, { await: { messages: 1 } }, ...sends(framed(Buffer.of(0x0f)))],
      ends: "3 INVALID_REQUEST with 1 message",
    },
    {
      name: `sends reflection ${version} half a question`,
      method,
      steps: [{ send: listing }, { await: { messages: 1 } }, ...sends(listing.subarray(0, 6))],
      ends: "3 INVALID_REQUEST with 1 message",
    },
    {
      name: `sends reflection ${version} a question beyond the limit`,
      method,
      steps: [{ send: listing }, { await: { messages: 1 } }, ...sends(framed(Buffer.alloc(65_537)))],
      ends: "8 with 1 message",
    },
  ];
});

/** Services besides the one that most of the corpus calls. */
export const services: readonly WireCase[] = [
  ...["", "sluice.v1.PipelineService"].map(
    (service): WireCase => ({
      name: `asks for the health of ${JSON.stringify(service)}`,
      method: check,
      steps: sends(body(check.input, { service })),
      ends: ANSWERED,
    }),
  ),
  {
    name: "asks for the health of a stranger",
    method: check,
    steps: sends(body(check.input, { service: "x" })),
    ends: "5",
  },
  { name: "lists the health of all", method: list, steps: sends(framed(new Uint8Array())), ends: ANSWERED },
  {
    name: "watches health and leaves",
    method: watch,
    steps: [{ send: body(watch.input, {}) }, "half-close", { await: { messages: 1 } }, cancel],
    ends: "reset 8 with 1 message",
  },
  {
    name: "watches the health of a stranger and leaves",
    method: watch,
    steps: [{ send: body(watch.input, { service: "x" }) }, "half-close", { await: { messages: 1 } }, cancel],
    ends: "reset 8 with 1 message",
  },
  {
    name: "watches health for as long as its timeout says",
    method: watch,
    headers: { "grpc-timeout": "150m" },
    steps: sends(body(watch.input, {})),
    ends: "4 with 1 message",
  },
  {
    name: "sends a malformed question for health",
    method: check,
    steps: sends(framed(Buffer.of(0x0f))),
    ends: "3 INVALID_REQUEST",
  },
  ...reflections,
  {
    name: "asks for the models",
    method: ModelService.method.listModels,
    steps: sends(framed(new Uint8Array())),
    ends: ANSWERED,
  },
  {
    name: "asks for the prompts",
    method: PromptService.method.listPrompts,
    steps: sends(framed(new Uint8Array())),
    ends: ANSWERED,
  },
  {
    name: "asks for a prompt that there is not",
    method: PromptService.method.getPrompt,
    steps: sends(body(PromptService.method.getPrompt.input, { name: "nope" })),
    ends: "5 UNKNOWN_PROMPT",
  },
  {
    name: "asks for an explanation",
    method: PipelineService.method.explain,
    steps: sends(framed(new Uint8Array())),
    ends: ANSWERED,
  },
];
