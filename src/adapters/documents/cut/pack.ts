import { type Atom, CUT } from "./atoms.ts";
import { weightOf } from "./weight.ts";

/** Atoms of one chunk: from `start` on they repeat the chunk before, from `fresh` on they are new; `end` is exclusive. */
export interface Pack {
  readonly start: number;
  readonly fresh: number;
  readonly end: number;
}

/**
 * Spreads the atoms of one section over chunks of at most `maxWeight`, each as full as it can be, and repeats whole
 * sentences of at most `overlapWeight` where the cut is at a sentence. A chunk ends at a block where that leaves it at
 * least half full, or where the next block is whole in a chunk of its own; else at a sentence, at a word, or where it is
 * full.
 */
export function packAtoms(text: string, atoms: readonly Atom[], maxWeight: number, overlapWeight: number): Pack[] {
  const weights = new CumulativeWeights(text, atoms);
  const packs: Pack[] = [];
  for (let fresh = 0; fresh < atoms.length; ) {
    const previous = packs.at(-1);
    const start = previous ? overlapStart(atoms, weights, previous, maxWeight, overlapWeight) : fresh;
    let full = fresh + 1;
    while (full < atoms.length && weights.between(start, full + 1) <= maxWeight) full++;
    const end = full === atoms.length ? full : bestEnd(atoms, weights, { start, fresh, end: full }, maxWeight);
    packs.push({ start, fresh, end });
    fresh = end;
  }
  return packs;
}

/** Weights of atoms with what lies between them. */
class CumulativeWeights {
  /** From the first atom's start to the start, and to the end, of each. */
  readonly #toStart: Float64Array;
  readonly #toEnd: Float64Array;

  constructor(text: string, atoms: readonly Atom[]) {
    this.#toStart = new Float64Array(atoms.length);
    this.#toEnd = new Float64Array(atoms.length);
    let weight = 0;
    let at = atoms[0]?.start ?? 0;
    atoms.forEach((atom, index) => {
      weight += weightOf(text, at, atom.start);
      this.#toStart[index] = weight;
      weight += weightOf(text, atom.start, atom.end);
      this.#toEnd[index] = weight;
      at = atom.end;
    });
  }

  /** @param end exclusive */
  between(start: number, end: number): number {
    return end <= start ? 0 : (this.#toEnd[end - 1] ?? 0) - (this.#toStart[start] ?? 0);
  }
}

function bestEnd(atoms: readonly Atom[], weights: CumulativeWeights, full: Pack, maxWeight: number): number {
  for (let end = full.end; end > full.fresh; end--) {
    if (atoms[end]?.cut !== CUT.block || endsInHeading(atoms, full, end)) continue;
    const isHalfFull = weights.between(full.start, end) * 2 >= maxWeight;
    if (isHalfFull || weights.between(end, blockEnd(atoms, end)) <= maxWeight) return end;
    break;
  }
  for (const cut of [CUT.sentence, CUT.word]) {
    for (let end = full.end; end > full.fresh; end--) {
      if ((atoms[end]?.cut ?? 0) >= cut && !endsInHeading(atoms, full, end)) return end;
    }
  }
  return full.end;
}

/** A heading at the end is alone, unless the chunk has nothing else. */
function endsInHeading(atoms: readonly Atom[], pack: Pack, end: number): boolean {
  return atoms[end - 1]?.kind === "heading" && atoms[end]?.kind !== "heading" && end > pack.fresh;
}

function blockEnd(atoms: readonly Atom[], start: number): number {
  let end = start + 1;
  while (end < atoms.length && atoms[end]?.cut !== CUT.block) end++;
  return end;
}

/** Where the chunk behind `previous` begins: at its first new atom, or up to `overlapWeight` before. */
function overlapStart(
  atoms: readonly Atom[],
  weights: CumulativeWeights,
  previous: Pack,
  maxWeight: number,
  overlapWeight: number,
): number {
  const fresh = previous.end;
  if ((atoms[fresh]?.cut ?? 0) < CUT.sentence) return fresh;
  let start = fresh;
  for (let at = fresh - 1; at > previous.fresh; at--) {
    const atom = atoms[at];
    if (!atom || (atom.kind !== "prose" && atom.kind !== "list")) break;
    // With what follows it, so that at least one new atom fits beside it.
    if (weights.between(at, fresh) > overlapWeight || weights.between(at, fresh + 1) > maxWeight) break;
    if (atom.cut >= CUT.sentence) start = at;
  }
  return start;
}
