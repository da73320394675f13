import { Option } from "commander";
import { readValue } from "./read-value.ts";
import { type Terminal, UserError } from "./terminal.ts";

/**
 * The variables of a prompt as JSON text: those of `--vars-json`, digits as written, and one text for each
 * `--var name=value`.
 * @throws UserError for what is no JSON object, a `--var` without a name, and a name that is given twice.
 */
export async function variablesText(
  options: { readonly var: readonly string[]; readonly varsJson?: string },
  terminal: Terminal,
): Promise<string> {
  const { json, names } = await readObject(options.varsJson, terminal);
  const texts = new Map<string, string>();
  for (const option of options.var) {
    const equals = option.indexOf("=");
    if (equals < 1) throw new UserError("--var: must be name=value, name=@file or name=@-");
    const name = option.slice(0, equals);
    if (texts.has(name) || names.has(name)) throw new UserError(`--var ${name}: is given twice`);
    texts.set(name, await readValue(`--var ${name}`, option.slice(equals + 1), terminal));
  }
  if (texts.size === 0) return json;
  const added = JSON.stringify(Object.fromEntries(texts));
  if (names.size === 0) return added;
  // Joined as text: parsing and printing the object anew would round numbers that a double cannot hold.
  return `${json.slice(0, json.lastIndexOf("}"))},${added.slice(1)}`;
}

async function readObject(
  option: string | undefined,
  terminal: Terminal,
): Promise<{ json: string; names: Set<string> }> {
  if (option === undefined) return { json: "{}", names: new Set() };
  const json = await readValue("--vars-json", option, terminal);
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new UserError("--vars-json: is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError("--vars-json: must be a JSON object");
  }
  return { json, names: new Set(Object.keys(value)) };
}

/** The option that gives one variable. */
export function variablesOption(): Option {
  return new Option("--var <name=value>", "a variable of the prompt; may be repeated")
    .default([], "none")
    .argParser((value: string, before: readonly string[]) => [...before, value]);
}
