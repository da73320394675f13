import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import { answerText } from "../../../src/adapters/sandbox/answer.ts";
import type { ModelRequest } from "../../../src/core/model.ts";

type Chunks = ModelRequest["chunks"];

const file = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

/** The output schema of a prompt of the project. */
function outputSchema(prompt: string): unknown {
  const schema: unknown = parse(file(`prompts/${prompt}/v1.prompt`).split(/^---$/m)[1] ?? "")?.output?.schema;
  assert.ok(schema);
  return schema;
}

function answer(texts: { system?: string; user: string; chunks?: Chunks; schema?: unknown }): string {
  return answerText("extract", {
    callId: "0192",
    attempt: 1,
    providerModel: "sandbox/extract",
    messages: [
      { role: "system", text: texts.system ?? "You read documents." },
      { role: "user", text: texts.user },
    ],
    messagesOfCorrection: 0,
    chunks: texts.chunks ?? [],
    sampling: { maxOutputTokens: 4_000, stop: [] },
    output: texts.schema
      ? { kind: "json", mode: "json_schema", schemaText: JSON.stringify(texts.schema) }
      : { kind: "text" },
    timeouts: { firstByteMs: 1, idleMs: 1, attemptMs: 1 },
    streamUpstream: true,
  });
}

function filled(texts: { system?: string; user: string; chunks?: Chunks; schema: unknown }): unknown {
  const value: unknown = JSON.parse(answer(texts));
  const ajv = new Ajv2020({ strict: false });
  addFormats.default(ajv);
  assert.ok(ajv.validate(Object(texts.schema), value), `${ajv.errorsText()} in ${JSON.stringify(value)}`);
  return value;
}

describe("sandbox/extract on the example documents", () => {
  it("reads the invoice", () => {
    const invoice = filled({
      user: `<invoice>\n${file("examples/documents/invoice.txt")}\n</invoice>`,
      schema: outputSchema("extract-invoice"),
    });
    assert.deepEqual(invoice, {
      supplier: "NORDKAI MARINE SUPPLY GMBH",
      invoice_number: "NMS-24-00871",
      date: "2024-10-17",
      due_date: "2024-11-16",
      currency: "EUR",
      lines: [
        { description: "Mooring line, polyamide, 24 mm x 50 m", quantity: 6, unit_price: 214, amount: 1284 },
        { description: "Fender, cylindrical, F-6, navy", quantity: 8, unit_price: 138.5, amount: 1108 },
        { description: "Bilge pump 24 V, 3,000 l/h", quantity: 2, unit_price: 189.9, amount: 379.8 },
        { description: "Deck paint RAL 7001, 10 l", quantity: 3.5, unit_price: 92, amount: 322 },
        { description: "Installation of bilge pumps, on board", quantity: 5, unit_price: 78, amount: 390 },
        { description: "Volume discount on positions 1 and 2", quantity: 1, unit_price: -119.6, amount: -119.6 },
      ],
      subtotal: 3364.2,
      tax: 0,
      total: 3364.2,
    });
  });

  it("reads an invoice whose lines have no header", () => {
    const user = [
      "Lindqvist Paper AB                Invoice LP-2031/7",
      "4 March 2025                      Payable within 30 days",
      "",
      "40  Copy paper A4 80 g   52.50    2,100.00",
      " 1  Delivery            190.00      190.00",
      "",
      "Net 2,290.00   VAT 25 % 572.50    Total SEK 2,862.50",
    ].join("\n");
    assert.deepEqual(filled({ user, schema: outputSchema("extract-invoice") }), {
      supplier: "Lindqvist Paper AB",
      invoice_number: "LP-2031/7",
      date: "2025-03-04",
      due_date: "2025-04-03",
      currency: "SEK",
      lines: [
        { description: "Copy paper A4 80 g", quantity: 40, unit_price: 52.5, amount: 2100 },
        { description: "Delivery", quantity: 1, unit_price: 190, amount: 190 },
      ],
      subtotal: 2290,
      tax: 572.5,
      total: 2862.5,
    });
  });

  it("sorts the ticket", () => {
    const ticket = file("examples/documents/ticket.txt");
    const sorted = filled({
      system: file("prompts/classify-ticket/v1.prompt").split(/^@(?:system|user)$/m)[1] ?? "",
      user: `<ticket>\n${ticket}\n</ticket>`,
      schema: outputSchema("classify-ticket"),
    });
    assert.ok(typeof sorted === "object" && sorted !== null && "category" in sorted && "reason" in sorted);
    assert.equal(sorted.category, "bug");
    assert.ok(ticket.replace(/\s+/g, " ").includes(String(sorted.reason)), "the reason is quoted");
  });

  it("summarizes the article in sentences of it, as many as asked", () => {
    const article = file("examples/documents/article.txt");
    const plain = article.replace(/\s+/g, " ");
    for (const [asked, count] of [
      ["", 3],
      ["in at most 1 sentence(s)", 1],
      ["Number of sentences: 5.", 5],
    ] as const) {
      const summary = answer({ user: `Summarize this text. ${asked}\n\n<text>\n${article}\n</text>` });
      const sentences = summary.split(/(?<=[.?!]"?) (?=["A-Z])/);
      assert.equal(sentences.length, count, summary);
      for (const sentence of sentences) assert.ok(plain.includes(sentence), sentence);
    }
  });
});

describe("sandbox/extract with context", () => {
  const chunks: Chunks = [
    { id: "locks-1", text: "A lock lifts ships by water. The gates of a lock are opened by hand." },
    { id: "history-2", text: "Leonardo da Vinci designed a mitre gate for the San Marco lock in Milan around 1497." },
  ];
  const shown = chunks.map(({ id, text }) => `[${id}]\n${text}`).join("\n\n");

  it("quotes the sentence that answers, with its id", () => {
    const user = `<sources>\n${shown}\n</sources>\n\nQuestion: Who designed the gate in Milan?`;
    assert.equal(
      answer({ user, chunks }).split(" [history-2]")[0],
      "Leonardo da Vinci designed a mitre gate for the San Marco lock in Milan around 1497.",
    );
  });

  it("says so when the context holds no answer", () => {
    const user = `<sources>\n${shown}\n</sources>\n\nQuestion: What colour do zebras have?`;
    assert.equal(answer({ user, chunks }), "The context does not answer this.");
  });

  it("cites the chunks in JSON", () => {
    const schema = {
      type: "object",
      properties: { answer: { type: "string" }, sources: { type: "array", items: { type: "string" } } },
      required: ["answer", "sources"],
    };
    const value = filled({ user: "Who designed the mitre gate in Milan?", chunks, schema });
    assert.ok(typeof value === "object" && value !== null && "sources" in value);
    assert.deepEqual(value.sources, ["history-2"]);
  });
});

describe("sandbox/extract filling schemas", () => {
  it("leaves out optional fields that the text says nothing about, and gives required ones their smallest value", () => {
    const schema = {
      type: "object",
      properties: {
        harbour: { type: "string" },
        depth_m: { type: "number", minimum: 1, maximum: 100 },
        berths: { type: "integer", exclusiveMinimum: 4, multipleOf: 5 },
        closed: { type: "boolean" },
        id: { type: "string", format: "uuid" },
        code: { type: "string", minLength: 3 },
        opened: { type: ["string", "null"], format: "date" },
        extras: { type: "array", items: { type: "string" }, minItems: 1 },
      },
      required: ["depth_m", "berths", "id", "code", "extras", "opened"],
    };
    assert.deepEqual(filled({ user: "Harbour: Tarnwick", schema }), {
      harbour: "Tarnwick",
      depth_m: 1,
      berths: 5,
      id: "00000000-0000-0000-0000-000000000000",
      code: "---",
      opened: null,
      extras: [""],
    });
  });

  it("follows references, merges allOf, and takes the first branch that fits", () => {
    const schema = {
      $defs: { person: { type: "object", properties: { name: { type: "string" } }, required: ["name"] } },
      type: "object",
      properties: {
        captain: { allOf: [{ $ref: "#/$defs/person" }, { properties: { age: { type: "integer" } } }] },
        depth: { anyOf: [{ type: "null" }, { type: "number" }] },
        kind: { const: "ship" },
      },
      required: ["captain", "depth", "kind"],
    };
    assert.deepEqual(filled({ user: "Captain: Aila Brennan\nDepth: 4.5 m", schema }), {
      captain: { name: "Aila Brennan" },
      depth: 4.5,
      kind: "ship",
    });
  });

  for (const [name, schema] of [
    ["that refers to itself", { type: "object", properties: { next: { $ref: "#" } }, required: ["next"] }],
    ["of branches that refer to themselves", { anyOf: [{ $ref: "#" }, { $ref: "#" }, { $ref: "#" }] }],
    ["merged from itself", { allOf: [{ $ref: "#" }, { $ref: "#" }, { $ref: "#" }] }],
    [
      "that doubles at each level",
      {
        type: "object",
        properties: { a: { $ref: "#" }, b: { $ref: "#" }, c: { $ref: "#" } },
        required: ["a", "b", "c"],
      },
    ],
    [
      "with thousands of fields",
      {
        type: "object",
        properties: Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`summary_${i}`, { type: "string" }])),
      },
    ],
    [
      "that names a prototype",
      JSON.parse(
        '{"type":"object","properties":{"__proto__":{"type":"string"},"constructor":{"type":"string"}},"required":["__proto__","constructor"]}',
      ),
    ],
    ["that is true", true],
  ] as const) {
    it(`ends for a schema ${name}`, () =>
      assert.doesNotThrow(() => JSON.parse(answer({ user: "A text. Summary: none.", schema }))));
  }

  const invoice = outputSchema("extract-invoice");
  for (const [name, user] of [
    ["nothing", ""],
    ["open tags", "<a>\n".repeat(50_000)],
    ["fences", "```\n".repeat(50_000)],
    ["columns", "description  quantity  ".repeat(20_000)],
    ["labels", "Total: 1\n".repeat(50_000)],
    ["spaces", " ".repeat(500_000)],
    ["digits", "1".repeat(500_000)],
    ["full stops", ". ".repeat(200_000)],
    ["one long word", "a".repeat(500_000)],
    ["list marks", "- ".repeat(200_000)],
  ] as const) {
    it(`ends for a text of ${name}`, () => {
      assert.doesNotThrow(() => answer({ user, schema: invoice }));
      assert.ok(answer({ user }).length > 0);
      assert.ok(answer({ user: "What is it?", chunks: [{ id: "a", text: user }] }).length > 0);
    });
  }
});
