import { stem, wordsOf } from "../text/words.ts";

/** Words of labels and of field names that mean the same. The first of each line stands for all. */
const SAME_MEANING = [
  "number no nr num id reference ref",
  "vendor supplier seller from issuer merchant biller",
  "customer client buyer recipient bill",
  "quantity qty units pcs count",
  "price rate cost",
  "description item product service article position",
  "tax vat gst mwst ust",
  "total sum",
  "subtotal net",
  "date dated",
  "email mail",
  "phone tel telephone",
  "amount value",
  "title subject headline topic",
];

const CANONICAL: ReadonlyMap<string, string> = new Map(
  SAME_MEANING.flatMap((line) => {
    const words = line.split(" ");
    return words.map((word) => [stem(word), words[0] ?? word] as const);
  }),
);

/** Words that say nothing alone: `vendor.name` is what the label "Vendor" names. */
const GENERIC: ReadonlySet<string> = new Set(["name", "amount", "text", "value"].map(canonical));

/** Words that make a date or a sum another one: "Due date" is no answer to `date`, and "Date" none to `due_date`. */
const DISTINGUISHING: ReadonlySet<string> = new Set(
  ["due", "delivery", "start", "end", "birth", "expiry", "shipping", "subtotal", "unit"].map(canonical),
);

const IGNORED: ReadonlySet<string> = new Set(["of", "the", "to", "for", "in", "and", "a", "usd", "eur"]);

/** What "VAT ID" has and `tax` has not. */
const NUMBER = canonical("number");

/** Whether a word in a field's name means that not any date or sum will do. */
export function isDistinguishing(word: string): boolean {
  return DISTINGUISHING.has(word);
}

/** The words that say what a field is: its own, or for a field such as `name` those of the objects around it. */
export function tellingWords(field: readonly string[], parents: readonly string[]): readonly string[] {
  const telling = field.filter((word) => !GENERIC.has(word));
  if (telling.length > 0) return telling;
  return parents.length > 0 ? parents : field;
}

/** The words of `unitPrice`, `unit_price` or "Unit price", each in the form that stands for its synonyms. */
export function fieldWords(name: string): readonly string[] {
  const spaced = name
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2")
    .replaceAll("_", " ")
    .replaceAll("#", " number ");
  return [
    ...new Set(
      wordsOf(spaced)
        .filter((word) => !IGNORED.has(word))
        .map(canonical),
    ),
  ];
}

function canonical(word: string): string {
  const root = stem(word);
  return CANONICAL.get(root) ?? root;
}

/**
 * How well a label names a field, from 0 (not at all) to 3 (word for word). `parents` are the names of the objects
 * around the field; they help, and stand in for a field whose own name says nothing.
 */
export function labelScore(label: readonly string[], field: readonly string[], parents: readonly string[]): number {
  const wanted = tellingWords(field, parents);
  const own = wanted.filter((word) => label.includes(word)).length;
  if (own === 0 || wanted.some((word) => isDistinguishing(word) && !label.includes(word))) return 0;
  const known = label.filter((word) => field.includes(word) || parents.includes(word)).length;
  const foreign = label.some((word) => (isDistinguishing(word) || word === NUMBER) && !wanted.includes(word));
  return (2 * own) / wanted.length + known / label.length - (foreign ? 0.5 : 0);
}
