/** The name under which templates see the context chunks, a list of `{id, text}`. It is never declared. */
export const CONTEXT_NAME = "context";

/** Blocks that a template may open. */
export const BLOCK_HELPERS: readonly string[] = ["if", "unless", "each", "with"];

/** Functions that a template may call. */
export const VALUE_HELPERS: readonly string[] = ["eq", "join", "json"];

/** Words of the template language that are no names there. */
const WORDS: readonly string[] = ["as", "else", "false", "null", "this", "true", "undefined"];

/** Whether a variable of this name could not be written in a template, or would be mistaken for something else. */
export function isReservedName(name: string): boolean {
  return name === CONTEXT_NAME || isHelperName(name) || WORDS.includes(name);
}

export function isHelperName(name: string): boolean {
  return BLOCK_HELPERS.includes(name) || VALUE_HELPERS.includes(name);
}
