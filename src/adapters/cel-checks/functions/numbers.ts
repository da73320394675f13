import { type CelFunc, type CelList, CelScalar, celFunc, isCelUint, listType } from "@bufbuild/cel";
import type { Budget } from "../budget.ts";
import { areClose, sumDecimals } from "../decimals.ts";

const { BOOL, DOUBLE, DYN, INT } = CelScalar;

/** A step of `sum`: splitting a number into its digits costs more than a step. */
const STEPS_PER_NUMBER = 3;

type Arithmetic = (a: number, b: number) => number;

const OPERATORS: readonly (readonly [name: string, apply: Arithmetic])[] = [
  ["_+_", (a, b) => a + b],
  ["_-_", (a, b) => a - b],
  ["_*_", (a, b) => a * b],
  ["_/_", quotient],
  ["_%_", remainder],
];

/**
 * Arithmetic of a double with an int. CEL has none, but every number of JSON is a double, and `output.count + 1` has
 * only one meaning. `%`, which CEL has for ints alone, works on whole doubles. Division by zero, which gives doubles
 * infinity, is an error as it is for ints: a rule such as `output.total / output.count > 10` must not hold for nothing.
 */
export function mixedArithmetic(budget: Budget): CelFunc[] {
  const paid = (apply: Arithmetic) => (a: number | bigint, b: number | bigint) => {
    budget.spend(1);
    return apply(Number(a), Number(b));
  };
  const mixed = OPERATORS.flatMap(([name, apply]) => [
    celFunc(name, [DOUBLE, INT], DOUBLE, paid(apply)),
    celFunc(name, [INT, DOUBLE], DOUBLE, paid(apply)),
  ]);
  return [
    ...mixed,
    celFunc("_/_", [DOUBLE, DOUBLE], DOUBLE, paid(quotient)),
    celFunc("_%_", [DOUBLE, DOUBLE], DOUBLE, paid(remainder)),
  ];
}

function quotient(a: number, b: number): number {
  if (b === 0) throw new Error("division by zero");
  return a / b;
}

function remainder(a: number, b: number): number {
  if (!Number.isInteger(a) || !Number.isInteger(b)) throw new Error("% takes whole numbers only");
  if (b === 0) throw new Error("modulus by zero");
  return a % b;
}

/** `sum(list)` and `approx(a, b)`, which take numbers of any kind. */
export function decimalFunctions(budget: Budget): CelFunc[] {
  const sum = (list: CelList) => {
    budget.spend(list.size * STEPS_PER_NUMBER);
    return sumDecimals([...list].map((item) => toNumber(item, "sum")));
  };
  const approx = (a: unknown, b: unknown) => {
    budget.spend(2);
    return areClose(toNumber(a, "approx"), toNumber(b, "approx"));
  };
  const numbers = [DOUBLE, INT] as const;
  return [
    celFunc("sum", [listType(DYN)], DOUBLE, sum),
    ...numbers.flatMap((a) => numbers.map((b) => celFunc("approx", [a, b], BOOL, approx))),
  ];
}

function toNumber(value: unknown, name: string): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (isCelUint(value)) return Number(value.value);
  throw new Error(`${name} takes numbers only`);
}
