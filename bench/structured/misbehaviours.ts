import type { Slip } from "./slips.ts";
import * as make from "./slips.ts";
import type { Task } from "./tasks.ts";

/** A way in which a scripted model goes wrong. */
export interface Misbehaviour {
  readonly kind: string;
  /** Its mistakes, all at once; of those in the text the last one hides the others. */
  readonly slips: readonly ((task: Task) => Slip)[];
  /** The mistakes that it makes instead once it has mended those, and the other way round, for ever. */
  readonly relapse?: readonly ((task: Task) => Slip)[];
  /** Whether a stronger model, which is right, stands behind it. */
  readonly mayEscalate?: true;
  /** Whether the answer must also keep the task's check. */
  readonly isChecked?: true;
}

/** What a model may write first where its limit is not given. */
export const INITIAL_TOKENS = 100;

export const misbehaviours: readonly Misbehaviour[] = [
  { kind: "a slip of notation", slips: [make.slipOfNotation] },
  { kind: "a property is missing", slips: [make.missingProperty] },
  { kind: "a property too many", slips: [make.extraProperty] },
  { kind: "a string for a number", slips: [make.wrongType] },
  { kind: "a number out of range", slips: [make.outOfRange] },
  { kind: "a constant in the wrong case", slips: [make.wrongCase] },
  { kind: "prose, no JSON", slips: [make.prose] },
  { kind: "nothing but white space", slips: [make.blank] },
  { kind: "quotes inside a string", slips: [make.brokenQuote] },
  { kind: "a key twice", slips: [make.repeatedKey] },
  { kind: "two different answers", slips: [make.twoAnswers] },
  { kind: "ends early of itself", slips: [make.cutShort] },
  { kind: "out of tokens, twice the room does", slips: [make.outOfTokens(2 * INITIAL_TOKENS)] },
  { kind: "out of tokens, whatever the room", slips: [make.forEver(make.outOfTokens(0))] },
  { kind: "three mistakes at once", slips: [make.missingProperty, make.wrongType, make.wrongCase] },
  { kind: "twelve mistakes at once", slips: make.manyWrongTypes },
  { kind: "two mistakes, one behind the other", slips: [make.wrongType, make.brokenQuote] },
  { kind: "three, each behind the other", slips: [make.wrongType, make.brokenQuote, make.prose] },
  { kind: "the same mistake for ever", slips: [make.forEver(make.wrongType)] },
  { kind: "two mistakes by turns", slips: [make.missingProperty], relapse: [make.wrongType] },
  { kind: "for ever, a stronger model behind", slips: [make.forEver(make.wrongType)], mayEscalate: true },
  { kind: "valid but untrue", slips: [make.untrue], isChecked: true },
  { kind: "untrue, and insists", slips: [make.forEver(make.untrue)], isChecked: true },
  { kind: "insists, a stronger model behind", slips: [make.forEver(make.untrue)], isChecked: true, mayEscalate: true },
];
