import {
  type CelFunc,
  CelScalar,
  type CelValue,
  celEnv,
  celFunc,
  celMethod,
  isCelError,
  isCelList,
  isCelMap,
} from "@bufbuild/cel";
import type { Budget } from "../budget.ts";
import { passingSteps, payForComparing } from "./price.ts";

/** Functions that look into lists and maps. */
const COMPARING = new Set(["_==_", "_!=_", "@in"]);
/** Conversions that make or read more than a number, by what they take: steps besides the first. */
const CONVERSIONS: Readonly<Record<string, number>> = {
  "string(double)": 4,
  "string(google.protobuf.Timestamp)": 4,
  "string(google.protobuf.Duration)": 4,
  "duration(string)": 8,
};
/** Functions whose time grows faster than their text. */
const INTEGERS = new Set(["int", "uint"]);
const MAX_INTEGER_CHARACTERS = 64;
/** The most characters that a sum of texts may have. */
const MAX_TEXT_CHARACTERS = 1 << 21;

/** CEL's own functions, each paying for what it reads. */
export function standardFunctions(budget: Budget): CelFunc[] {
  return [...celEnv().funcs].map((original) => paying(original, budget));
}

function paying(original: CelFunc, budget: Budget): CelFunc {
  const { name, target, arguments: parameters, result } = original;
  const extraSteps = CONVERSIONS[`${name}(${parameters.map((type) => type.name).join()})`] ?? 0;
  const call = (self: CelValue | undefined, args: CelValue[]) => {
    if (extraSteps > 0) budget.spend(extraSteps);
    pay(name, self === undefined ? args : [self, ...args], budget);
    // The engine has matched the overload before; its errors are thrown, and it catches them with the place.
    const value = original.call(0, self, args);
    if (value === undefined) throw new Error("no matching overload");
    if (isCelError(value)) throw new Error(value.message);
    return value;
  };
  if (!target) return celFunc(name, parameters, result, (...args: CelValue[]) => call(undefined, args));
  return celMethod(name, target, parameters, result, function (this: CelValue, ...args: CelValue[]) {
    return call(this, args);
  });
}

function pay(name: string, values: readonly CelValue[], budget: Budget): void {
  const [first, second] = values;
  // Maps find a key at once.
  const isLookUp = name === "@in" && isCelMap(second);
  if (!isLookUp && COMPARING.has(name) && first !== undefined && second !== undefined) {
    payForComparing(budget, smaller(name, first, second));
    return;
  }
  if (INTEGERS.has(name) && typeof first === "string" && first.length > MAX_INTEGER_CHARACTERS) {
    throw new Error("the text is too long");
  }
  let steps = 1;
  for (const value of values) steps += passingSteps(value);
  budget.spend(steps);
  if (name !== "_+_" || typeof first !== "string" || typeof second !== "string") return;
  if (first.length + second.length > MAX_TEXT_CHARACTERS) throw new Error("the text is too long");
}

/** `in` looks at all of the list; two values are compared up to the end of the smaller. */
function smaller(name: string, first: CelValue, second: CelValue): CelValue {
  if (name === "@in") return second;
  return lengthOf(first) <= lengthOf(second) ? first : second;
}

function lengthOf(value: CelValue): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  return isCelList(value) || isCelMap(value) ? value.size : 0;
}

/** Characters of a text. The engine's own makes a list of them. */
export function textSize(budget: Budget): CelFunc[] {
  const size = (text: string) => {
    budget.spend(1 + passingSteps(text) * 4);
    let characters = 0;
    for (let at = 0; at < text.length; at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1) characters += 1;
    return BigInt(characters);
  };
  const { INT, STRING } = CelScalar;
  return [
    celFunc("size", [STRING], INT, size),
    celMethod("size", STRING, [], INT, function (this: string) {
      return size(this);
    }),
  ];
}
