import { childOf, type JsonObject, memberAt, nameIn, parentOf } from "./places.ts";
import type { Task } from "./tasks.ts";

/** What a model was told of its last answer, and how many tokens it may write now. */
export interface Told {
  readonly problems: readonly Problem[];
  /** Everything that it was told. */
  readonly words: string;
  readonly maxOutputTokens: number;
}

export interface Problem {
  readonly path: string;
  readonly rule: string;
  readonly expected: string;
  readonly got: string;
}

/** One mistake: how it is made, and what a model must be told to mend it. */
export interface Slip {
  /** Made in the value, before it is written. */
  readonly inValue?: (value: JsonObject) => void;
  /** Made in the text. Of several the last one hides the others. */
  readonly inText?: (text: string) => string;
  readonly finish?: "length";
  readonly isNamed: (told: Told) => boolean;
}

type MakeSlip = (task: Task) => Slip;

const named =
  (fits: (problem: Problem) => boolean) =>
  ({ problems }: Told) =>
    problems.some(fits);

export const missingProperty: MakeSlip = ({ places: { required } }) => ({
  inValue: (value) => void delete memberAt(value, parentOf(required))[nameIn(required)],
  isNamed: named(
    ({ path, rule, expected }) =>
      path === parentOf(required) && rule === "required" && expected.includes(`"${nameIn(required)}"`),
  ),
});

export const wrongType: MakeSlip = ({ places: { count } }) => ({
  inValue: (value) => replace(value, count, (right) => String(right)),
  isNamed: named(
    ({ path, rule, expected, got }) =>
      path === count && rule === "type" && expected === "integer" && got.startsWith("string"),
  ),
});

export const outOfRange: MakeSlip = ({ places: { count } }) => ({
  inValue: (value) => replace(value, count, () => 0),
  isNamed: named(({ path, rule, expected }) => path === count && rule === "minimum" && expected.includes(">= 1")),
});

export const wrongCase: MakeSlip = ({ places: { choice }, right }) => ({
  inValue: (value) => replace(value, choice, (constant) => String(constant).toUpperCase()),
  isNamed: named(
    ({ path, rule, expected }) =>
      path === choice && rule === "enum" && expected.includes(JSON.stringify(childOf(right, choice))),
  ),
});

export const extraProperty: MakeSlip = ({ places: { count } }) => {
  const extra = `${parentOf(count)}/confidence`;
  return {
    inValue: (value) => void Object.assign(memberAt(value, parentOf(extra)), { confidence: 0.9 }),
    isNamed: named(({ path, rule }) => path === extra && rule === "additionalProperties"),
  };
};

/** Twelve items with a wrong type each: more than one message names. */
export const manyWrongTypes: readonly MakeSlip[] = Array.from({ length: 12 }, (_, index) => ({ places, right }) => {
  const [list, item] = [parentOf(parentOf(places.count)), parentOf(places.count)];
  const name = nameIn(places.count);
  const path = `${list}/${index}/${name}`;
  return {
    inValue: (value) => {
      const items = memberAt(value, list);
      for (let at = 1; at < index; at += 1) items[at] ??= memberAt(right, item);
      items[index] = { ...memberAt(right, item), [name]: String(childOf(right, places.count)) };
    },
    isNamed: named((problem) => problem.path === path && problem.rule === "type"),
  };
});

export const prose: MakeSlip = () => ({
  inText: () => "I have looked at it closely, and everything seems to be in order. Shall I go on?",
  isNamed: named(({ path, rule, expected }) => path === "" && rule === "json" && expected.startsWith("a JSON value")),
});

export const blank: MakeSlip = () => ({
  inText: () => " \n",
  isNamed: named(({ path, rule }) => path === "" && rule === "empty"),
});

export const brokenQuote: MakeSlip = ({ places: { text }, right }) => ({
  inText: (json) => json.replace(JSON.stringify(childOf(right, text)), `"the "${childOf(right, text)}", as they say"`),
  isNamed: named(({ path, rule }) => path === text && rule === "json"),
});

export const repeatedKey: MakeSlip = ({ right }) => {
  const key = JSON.stringify(Object.keys(right)[0]);
  return {
    inText: (json) => json.replace("{", `{${key}:null,`),
    isNamed: named(({ rule, expected }) => rule === "json" && expected === "each key once"),
  };
};

export const twoAnswers: MakeSlip = ({ places: { text } }) => ({
  inText: (json) => {
    const other: JsonObject = JSON.parse(json);
    replace(other, text, () => "somebody else");
    return `It is either\n\n${json}\n\nor, less likely,\n\n${JSON.stringify(other)}`;
  },
  isNamed: named(({ path, expected }) => path === "" && expected === "exactly one value"),
});

export const cutShort: MakeSlip = () => ({
  inText: (json) => json.slice(0, -3),
  isNamed: named(({ rule, got }) => rule === "json" && got === "a cut value"),
});

/** Mended by room, not by words. */
export const outOfTokens =
  (neededTokens: number): MakeSlip =>
  () => ({
    inText: (json) => json.slice(0, -3),
    finish: "length",
    isNamed: ({ maxOutputTokens }) => maxOutputTokens >= neededTokens,
  });

/** Has one reading, so that nobody need be asked again. */
export const slipOfNotation: MakeSlip = () => ({
  inText: (json) => `Here you are:\n\`\`\`json\n${json.replace(/\}$/, ",} // done")}\n\`\`\``,
  isNamed: () => false,
});

/** Valid, and not so. */
export const untrue: MakeSlip = ({ places: { count }, check }) => ({
  inValue: (value) => replace(value, count, (right) => Number(right) + 1),
  isNamed: ({ words }) => words.includes(check.message),
});

/** The same mistake, whatever is said of it. */
export const forEver =
  (make: MakeSlip): MakeSlip =>
  (task) => ({ ...make(task), isNamed: () => false });

function replace(value: JsonObject, pointer: string, change: (right: unknown) => unknown): void {
  const parent = memberAt(value, parentOf(pointer));
  parent[nameIn(pointer)] = change(parent[nameIn(pointer)]);
}
