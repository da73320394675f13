import {
  type CelFunc,
  type CelList,
  CelScalar,
  type CelValue,
  celFunc,
  celList,
  isCelList,
  isCelMap,
  listType,
} from "@bufbuild/cel";
import { LOOP_FUNCTIONS } from "../bounded-expression.ts";
import type { Budget } from "../budget.ts";

const { DYN, INT } = CelScalar;

/** What `boundedExpression` puts into loops. */
export function loopFunctions(budget: Budget): CelFunc[] {
  const growing = new WeakMap<CelList, CelValue[]>();
  return [
    celFunc(LOOP_FUNCTIONS.range, [DYN], DYN, (range) => {
      if (isCelList(range) || isCelMap(range)) budget.spend(range.size);
      return range;
    }),
    celFunc(LOOP_FUNCTIONS.turn, [INT, DYN], DYN, (steps, goOn) => {
      budget.spend(Number(steps));
      return goOn;
    }),
    celFunc(LOOP_FUNCTIONS.list, [], listType(DYN), () => {
      const items: CelValue[] = [];
      const list = celList(items);
      growing.set(list, items);
      return list;
    }),
    celFunc(LOOP_FUNCTIONS.append, [listType(DYN), DYN], listType(DYN), (list, item) => {
      // Nobody else has seen the list yet: it is the loop's own until the loop ends.
      growing.get(list)?.push(item);
      return list;
    }),
  ];
}
