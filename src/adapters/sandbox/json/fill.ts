import type { RequestText } from "../request-text.ts";
import { type Choose, createChooser } from "./choose.ts";
import { dueDate } from "./due-date.ts";
import { fieldWords, isDistinguishing, labelScore, tellingWords } from "./field-names.ts";
import { type LabelledValue, labelledValues } from "./labels.ts";
import { createLists, type Lists } from "./list-values.ts";
import { minimalValue } from "./minimal-value.ts";
import { pricedLines } from "./priced-lines.ts";
import { createProse } from "./prose.ts";
import { fitText, readAs } from "./read-as.ts";
import { readCurrency } from "./read-value.ts";
import { type Row, tableRows } from "./rows.ts";
import {
  branchesOf,
  isObject,
  listOf,
  numberOf,
  propertiesOf,
  resolveSchema,
  type Schema,
  textOf,
  typesOf,
} from "./schema.ts";

/** So many values are looked for; what a schema asks for beyond them gets its minimal value. */
const MAX_VALUES = 128;
const DEFAULT_MAX_ITEMS = 100;

/** A label must name more than half of a field to give it its text; for dates and numbers the type says a little too. */
const MIN_TEXT_SCORE = 1.6;
const MIN_TYPED_SCORE = 1.4;

interface Fill {
  readonly root: unknown;
  /** All text to read from: the document and the context. */
  readonly text: string;
  readonly labels: readonly LabelledValue[];
  readonly prose: (words: readonly string[]) => string | undefined;
  readonly choose: Choose;
  readonly lists: Lists;
  valuesLeft: number;
}

/** Where in the schema a value goes. */
interface Place {
  readonly name: string;
  /** Words of the names of the objects around it. */
  readonly parents: readonly string[];
}

/**
 * A value for a JSON Schema, read from a text: by labels, tables, dates, choices that the text speaks for, and quoted
 * sentences for fields such as "summary". Optional fields that the text says nothing about are left out; required ones
 * get null or the smallest value that the schema accepts. Patterns and conditions of a schema are not solved, so that
 * an unusual schema may be broken.
 */
export function fillSchema(schema: unknown, read: RequestText): unknown {
  const text = [read.document, ...read.chunks.map((chunk) => chunk.text)].join("\n\n");
  const labels = labelledValues(text);
  const fill: Fill = {
    root: schema,
    text,
    labels,
    prose: createProse(read),
    choose: createChooser(read),
    lists: createLists(read),
    valuesLeft: MAX_VALUES,
  };
  return valueFor(schema, { name: "", parents: [] }, fill) ?? minimalValue(schema, schema);
}

/** The value found, or `undefined`. */
function valueFor(given: unknown, place: Place, fill: Fill): unknown {
  if (fill.valuesLeft-- <= 0) return undefined;
  const schema = resolveSchema(given, fill.root);
  if ("const" in schema) return schema.const;
  const branches = branchesOf(schema);
  if (branches.length > 0) return firstFound(branches, (branch) => valueFor(branch, place, fill));
  if (listOf(schema.enum).length > 0) return choiceFor(schema, place, fill);
  return firstFound(typesOf(schema), (type) => {
    if (type === "object") return objectFor(schema, place, fill);
    return type === "array" ? arrayFor(schema, place, fill) : scalarFor(schema, place, fill);
  });
}

function firstFound<T>(options: readonly T[], find: (option: T) => unknown): unknown {
  for (const option of options) {
    const found = find(option);
    if (found !== undefined) return found;
  }
  return undefined;
}

function objectFor(schema: Schema, place: Place, fill: Fill): unknown {
  const required = new Set(listOf(schema.required));
  const parents = [...place.parents, ...fieldWords(place.name)];
  const out: Record<string, unknown> = Object.create(null);
  let found = false;
  for (const [name, property] of Object.entries(propertiesOf(schema))) {
    const value = valueFor(property, { name, parents }, fill);
    found ||= value !== undefined;
    if (value !== undefined) out[name] = value;
    else if (required.has(name)) out[name] = minimalValue(property, fill.root);
  }
  return found ? out : undefined;
}

function choiceFor(schema: Schema, place: Place, fill: Fill): unknown {
  const labelled = labelledFor(schema, place, fill);
  if (labelled !== undefined) return labelled;
  const choices = listOf(schema.enum).filter((choice) => typeof choice === "string");
  const { value, found } = fill.choose(choices, textOf(schema.description));
  return found || !listOf(schema.enum).includes(null) ? value : undefined;
}

function scalarFor(schema: Schema, place: Place, fill: Fill): unknown {
  const labelled = labelledFor(schema, place, fill);
  if (labelled !== undefined) return labelled;
  if (!typesOf(schema).includes("string")) return undefined;
  const words = fieldWords(place.name);
  if (words.includes("currency")) return readCurrency(fill.text);
  if (words.includes("due")) return dueDateFor(schema, fill);
  if (textOf(schema.format) !== "") {
    return words.some(isDistinguishing) ? undefined : readAs(schema, place.name, fill.text);
  }
  const prose = fill.prose(tellingWords(words, place.parents));
  return prose && fitText(schema, prose);
}

function dueDateFor(schema: Schema, fill: Fill): unknown {
  const date: Schema = { type: "string", format: "date" };
  const invoiceDate = labelledFor(date, { name: "invoice_date", parents: [] }, fill) ?? readAs(date, "date", fill.text);
  const due = typeof invoiceDate === "string" ? dueDate(fill.text, invoiceDate) : undefined;
  return due && readAs(schema, "due_date", due);
}

/** The value of the label that names the place best and can be read as its type. */
function labelledFor(schema: Schema, place: Place, fill: Fill): unknown {
  const field = fieldWords(place.name);
  const isText = typesOf(schema).includes("string") && textOf(schema.format) === "";
  const candidates = fill.labels
    .map(({ label, value }) => ({ value, score: labelScore(label, field, place.parents) }))
    .filter(({ score }) => score >= (isText ? MIN_TEXT_SCORE : MIN_TYPED_SCORE))
    .sort((a, b) => b.score - a.score);
  return firstFound(candidates, ({ value }) => readAs(schema, place.name, value));
}

function arrayFor(schema: Schema, place: Place, fill: Fill): unknown {
  const items = resolveSchema(schema.items ?? {}, fill.root);
  const most = numberOf(schema.maxItems) ?? DEFAULT_MAX_ITEMS;
  const found = typesOf(items).includes("object")
    ? rowsFor(items, place, fill)
    : fill.lists.texts(place.name).flatMap((text) => readAs(items, place.name, text) ?? []);
  const enough = found.length >= Math.max(1, numberOf(schema.minItems) ?? 0);
  return enough ? found.slice(0, most) : undefined;
}

function rowsFor(items: Schema, place: Place, fill: Fill): readonly unknown[] {
  const fields = Object.keys(propertiesOf(items));
  const quoted = fill.lists.quoteRows(place.name, fields);
  const table = quoted.length > 0 ? quoted : tableRows(fill.text, fields);
  const rows = table.length > 0 ? table : pricedLines(fill.text, fields);
  return rows.flatMap((row) => readRow(row, items, fill) ?? []);
}

/** A line of a table as an object, or `undefined` for one that is no item, such as the line of the total. */
function readRow(row: Row, items: Schema, fill: Fill): unknown {
  const required = new Set(listOf(items.required));
  const out: Record<string, unknown> = Object.create(null);
  for (const [name, property] of Object.entries(propertiesOf(items))) {
    const cell = row[name];
    const schema = resolveSchema(property, fill.root);
    const value = cell === undefined ? undefined : readAs(schema, name, cell);
    if (value !== undefined) out[name] = value;
    else if (required.has(name) && cell !== undefined) return undefined;
    else if (required.has(name)) out[name] = minimalValue(property, fill.root);
  }
  return isObject(out) && Object.keys(out).length > 0 ? out : undefined;
}
