/** JSON that a model is asked for, its right answer, and places in it where mistakes can be made. */
export interface Task {
  readonly schema: string;
  readonly right: Readonly<Record<string, unknown>>;
  /** Pointers into the right answer. */
  readonly places: {
    /** A required property. */
    readonly required: string;
    /** An integer of at least 1, in the first item of a list. */
    readonly count: string;
    /** One of a few constants, in lower case. */
    readonly choice: string;
    /** A text. */
    readonly text: string;
  };
  /** What the right answer keeps, and no answer with another `count` does. */
  readonly check: { readonly rule: string; readonly message: string };
}

const object = (properties: Record<string, unknown>) => ({
  type: "object",
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const list = (items: unknown) => ({ type: "array", items });
const text = { type: "string" };
const count = { type: "integer", minimum: 1 };

const order: Task = {
  schema: JSON.stringify(
    object({
      customer: text,
      currency: { enum: ["eur", "sek", "usd"] },
      lines: list(object({ quantity: count, sku: text })),
    }),
  ),
  right: { customer: "Dahl & Co", currency: "sek", lines: [{ quantity: 3, sku: "SK-1" }] },
  places: { required: "/customer", count: "/lines/0/quantity", choice: "/currency", text: "/customer" },
  check: { rule: "output.lines[0].quantity == 3", message: "the order is of three pieces" },
};

const ticket: Task = {
  schema: JSON.stringify(
    object({
      steps: list(object({ minutes: count })),
      triage: object({ urgency: { enum: ["low", "high"] }, summary: text }),
    }),
  ),
  right: { steps: [{ minutes: 20 }], triage: { urgency: "high", summary: "The pump stands still" } },
  places: {
    required: "/triage/summary",
    count: "/steps/0/minutes",
    choice: "/triage/urgency",
    text: "/triage/summary",
  },
  check: { rule: "output.steps[0].minutes == 20", message: "the pump needs twenty minutes to cool down" },
};

const stay: Task = {
  schema: JSON.stringify(
    object({
      ship: object({ name: text, flag: { enum: ["no", "se"] } }),
      berths: list(object({ number: count, quay: text })),
    }),
  ),
  right: { ship: { name: "Skarv", flag: "no" }, berths: [{ number: 4, quay: "North" }] },
  places: { required: "/berths/0/quay", count: "/berths/0/number", choice: "/ship/flag", text: "/ship/name" },
  check: { rule: "output.berths[0].number == 4", message: "the ship lies at berth four" },
};

export const tasks: readonly Task[] = [order, ticket, stay];
