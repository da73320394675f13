const MAX_NAME_CHARACTERS = 256;

/** The name of the model that a provider says answered: it may be anything, and goes to logs, rows and terminals. */
export function modelNameOf(model: unknown): string | undefined {
  if (typeof model !== "string") return undefined;
  const name = model
    .slice(0, MAX_NAME_CHARACTERS)
    .replace(/\p{Cc}/gu, "")
    .toWellFormed();
  return name === "" ? undefined : name;
}
