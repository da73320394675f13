const line = (sku: object) => ({
  type: "object",
  required: ["sku", "title", "quantity", "price", "tags"],
  additionalProperties: false,
  properties: {
    sku,
    title: { type: "string" },
    quantity: { type: "integer", minimum: 1 },
    price: { type: "number", minimum: 0 },
    tags: { type: "array", items: { type: "string" } },
  },
});

const order = (sku: object) =>
  JSON.stringify({
    type: "object",
    required: ["customer", "currency", "express", "lines"],
    additionalProperties: false,
    properties: {
      customer: { type: "string", minLength: 1, maxLength: 200 },
      currency: { enum: ["EUR", "USD", "SEK"] },
      express: { type: "boolean" },
      note: { type: ["string", "null"] },
      lines: { type: "array", minItems: 1, items: line(sku) },
    },
  });

/** The schema of the measured answers: an order with its lines, every property declared and most of them required. */
export const orderSchema = order({ type: "string", minLength: 1 });

/** The same with a pattern for every line. Patterns run on an engine that is linear for any of them, and slower than V8's. */
export const orderSchemaWithPattern = order({ type: "string", pattern: "^[A-Z]{2}-[0-9]+$" });

const titles = [
  "Rope of hemp, 12 mm, tarred",
  "Lantern with spare wick",
  "Søkort over Skagerrak",
  "Brass cleat: 4 holes",
];

/** An order as JSON without white space, of so many characters or at most one line more. */
export function orderText(characters: number): string {
  const [head, tail] = [
    '{"customer":"Havnens Skibsproviantering","currency":"EUR","express":false,' +
      '"note":"Says: \\"before noon\\".\\nAsk for Ms Dahl.","lines":[',
    "]}",
  ];
  const lines: string[] = [];
  for (let length = head.length + tail.length; length < characters; length += (lines.at(-1)?.length ?? 0) + 1) {
    const index = lines.length;
    lines.push(
      JSON.stringify({
        sku: `SK-${1000 + index}`,
        title: titles[index % titles.length],
        quantity: 1 + (index % 9),
        price: 4.25 + index / 2,
        tags: index % 3 ? ["deck", "stock"] : [],
      }),
    );
  }
  return `${head}${lines.join(",")}${tail}`;
}

/** The same order as a model may write it in JavaScript's or Python's habits: repairs are needed, and no data is. */
export function withSlips(text: string): string {
  return text
    .replace('"express":false', '"express":False')
    .replaceAll('"sku":', "sku:")
    .replaceAll(/"tags":\["deck","stock"\]/g, "'tags': ['deck', 'stock',]")
    .replace('"lines":[', '"lines": [ // as ordered\n')
    .replace(/\]\}$/, ",]}");
}

/** The same order in a fence, between what models like to say. */
export function withFence(text: string): string {
  return `Sure! Here is the order that you asked for:\n\n\`\`\`json\n${text}\n\`\`\`\n\nLet me know if anything is missing.`;
}
