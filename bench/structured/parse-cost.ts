import { createJsonSchemas } from "../../src/adapters/json-schema/index.ts";
import { parseAnswer } from "../../src/pipeline/parse.ts";
import type { Ratios } from "../benchmark.ts";
import { interleave, type Subject } from "../interleave.ts";
import { orderSchema, orderSchemaWithPattern, orderText, withFence, withSlips } from "./order.ts";

const floor = "JSON.parse, clean";
const efforts = { full: { sampleMs: 80, rounds: 7 }, quick: { sampleMs: 2, rounds: 1 } };
const [small, large, huge] = [2_048, 102_400, 512_000];

const schemas = createJsonSchemas();
const plain = schemas.compile(orderSchema);
const withPattern = schemas.compile(orderSchemaWithPattern);

/** What the parse stage costs per KB of answer, schema validation included, against `JSON.parse` of the clean answer. */
export async function measureParseCost(effort: "full" | "quick"): Promise<Ratios[]> {
  const { sampleMs, rounds } = efforts[effort];
  const sections: Ratios[] = [];
  for (const [size, variants] of [
    [small, smallVariants(sampleMs)],
    [large, []],
    [huge, hostileVariants(sampleMs)],
  ] as const) {
    const results = await interleave([...cleanVariants(size, sampleMs), ...variants], rounds);
    const title = `CPU time of parsing answers of ${Math.round(size / 1024)} KB, schema validation included`;
    sections.push({ kind: "ratios", title, floor, ratiosOf: ["µs/KB"], results });
  }
  return sections;
}

function cleanVariants(characters: number, sampleMs: number): Subject[] {
  const text = orderText(characters);
  const value: unknown = JSON.parse(text);
  return [
    subject(floor, text, sampleMs, () => JSON.parse(text)),
    subject("validation alone", text, sampleMs, () => plain.validate(value)),
    answer("clean", text, sampleMs, { repairs: 0 }),
  ];
}

function smallVariants(sampleMs: number): Subject[] {
  const text = orderText(small);
  const indented = JSON.stringify(JSON.parse(orderText(small * 0.7)), null, 2);
  return [
    subject("JSON.parse, indented", indented, sampleMs, () => JSON.parse(indented)),
    answer("clean, indented", indented, sampleMs, { repairs: 0 }),
    answer("clean, a pattern in each line's schema", text, sampleMs, { repairs: 0, schema: withPattern }),
    answer("in a fence, with prose around", withFence(text), sampleMs, { repairs: 2 }),
    answer("five kinds of slips", withSlips(text), sampleMs, { repairs: 5 }),
  ];
}

/** Texts that make careless readers quadratic, recursive or both. Each must be rejected. */
function hostileVariants(sampleMs: number): Subject[] {
  const fill = (piece: string) => piece.repeat(Math.ceil(huge / piece.length));
  const texts: Record<string, string> = {
    "hostile: [[[[": fill("["),
    'hostile: {"a":{"a":': fill('{"a":'),
    "hostile: a string without an end": `{"a":"${fill("x")}`,
    'hostile: "a "a "a': fill('"a '),
    "hostile: { in every word": fill("{a "),
    "hostile: fences without an end": fill("```json\n{\n"),
    "hostile: fences with a cut value": fill('```json\n{"a":\n```\n'),
    "hostile: \\\\\\\\": `{"a":"${fill("\\")}`,
    "hostile: one comment": `{"a":1 /*${fill("*")}`,
    "hostile: tags of reasoning": fill("<think>"),
  };
  return Object.entries(texts).map(([name, text]) => answer(name, text, sampleMs, {}));
}

/** @param wanted how many repairs it takes; absent where the answer must be rejected. */
function answer(
  name: string,
  text: string,
  sampleMs: number,
  { repairs, schema = plain }: { repairs?: number; schema?: typeof plain },
): Subject {
  const parse = () => parseAnswer({ text, finish: "stop" }, { kind: "json", schema });
  const parsed = parse();
  if ((parsed.ok ? parsed.repairs.length : undefined) !== repairs) {
    throw new Error(`"${name}" is not what it is meant to be: ${JSON.stringify(parsed).slice(0, 500)}`);
  }
  return subject(name, text, sampleMs, parse);
}

function subject(name: string, text: string, sampleMs: number, work: () => unknown): Subject {
  const kilobytes = Buffer.byteLength(text) / 1024;
  return {
    name,
    measure: async () => {
      const micros = microsPerRun(work, sampleMs);
      return { "µs/KB": micros / kilobytes, "ms/answer": micros / 1000 };
    },
  };
}

/** CPU time of this thread, which other programs on a busy machine disturb less than the time of the clock. */
function microsPerRun(work: () => unknown, sampleMs: number): number {
  const start = process.threadCpuUsage();
  let runs = 0;
  let micros = 0;
  // Reading the time costs as much as parsing some 200 characters: the more runs so far, the more before the next look.
  for (let batch = 1; micros < sampleMs * 1000; batch = Math.max(1, Math.floor(runs / 8))) {
    for (let run = 0; run < batch; run += 1) work();
    runs += batch;
    const { user, system } = process.threadCpuUsage(start);
    micros = user + system;
  }
  return micros / runs;
}
