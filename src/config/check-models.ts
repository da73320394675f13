import { nearestNames } from "../core/nearest-names.ts";
import { localEmbeddingAlias, localPrefix, localProviderId, sandboxPrefix, sandboxProviderId } from "./alias.ts";
import { type Path, type Problem, problem, valueAt } from "./problem.ts";

/** What a check is given: the file as it was written, since one wrong value must not hide what is wrong with others. */
export interface ModelCheckInput {
  readonly raw: unknown;
  /** Names of the sandbox models that are offered. */
  readonly sandboxAliases: readonly string[];
}

/** Every name that one key uses and another defines; names that are reserved; cycles; what no model is left for. */
export function checkModels({ raw, sandboxAliases }: ModelCheckInput): Problem[] {
  const providers = namesIn(raw, ["providers"]);
  const models = namesIn(raw, ["models"]);
  const aliases = [...models, ...sandboxAliases];
  const embeddingModels = namesIn(raw, ["embedding_models"]);
  return [
    ...providers.filter((id) => id === sandboxProviderId).map((id) => reserved(["providers", id], "the sandbox")),
    ...providers.filter((id) => id === localProviderId).map((id) => reserved(["providers", id], "built-in models")),
    ...embeddingModels
      .filter((alias) => alias.startsWith(localPrefix))
      .map((alias) => reserved(["embedding_models", alias], "built-in models")),
    ...embeddingModels.flatMap((alias) =>
      unknownName(raw, ["embedding_models", alias, "provider"], "provider", providers),
    ),
    ...unknownName(raw, ["defaults", "embedding_model"], "embedding model", [...embeddingModels, localEmbeddingAlias]),
    ...models
      .filter((alias) => alias.startsWith(sandboxPrefix))
      .map((alias) => reserved(["models", alias], "the sandbox")),
    ...models.flatMap((alias) => unknownName(raw, ["models", alias, "provider"], "provider", providers)),
    ...models.flatMap((alias) =>
      fallbacksOf(raw, alias).flatMap((_, index) =>
        unknownName(raw, ["models", alias, "fallbacks", index], "model", aliases),
      ),
    ),
    ...models.flatMap((alias) => repeatedFallbacks(raw, alias)),
    ...models.flatMap((alias) => unknownName(raw, ["models", alias, "escalate_to"], "model", aliases)),
    ...unknownName(raw, ["defaults", "model"], "model", aliases),
    ...cycles(models, "fallbacks", (alias) => fallbacksOf(raw, alias)),
    // A stronger model that falls back to the one it was asked after is no mistake: attempts are bounded anyway.
    ...cycles(models, "escalate_to", (alias) => escalationOf(raw, alias)),
    ...(aliases.length === 0
      ? [problem(["models"], "conflict", "needs at least one model where sandbox is false")]
      : []),
    ...checkOverrides(raw, providers),
  ];
}

function checkOverrides(raw: unknown, providers: readonly string[]): Problem[] {
  const overrides = valueAt(raw, ["prices", "override"]);
  if (!Array.isArray(overrides)) return [];
  const seen = new Set<string>();
  return overrides.flatMap((_, index) => {
    const path = ["prices", "override", index];
    const provider = valueAt(raw, [...path, "provider"]);
    const model = valueAt(raw, [...path, "model"]);
    const found = unknownName(raw, [...path, "provider"], "provider", providers);
    const key = JSON.stringify([provider ?? null, model]);
    if (isText(model) && seen.has(key)) found.push(problem(path, "duplicate", "this model has an override before"));
    seen.add(key);
    found.push(...repeatedThresholds(raw, path));
    return found.length > 0 ? found : withoutModel(raw, path);
  });
}

/** Two prices for prompts of the same length contradict each other. */
function repeatedThresholds(raw: unknown, path: Path): Problem[] {
  const longPrompts = valueAt(raw, [...path, "long_prompts"]);
  if (!Array.isArray(longPrompts)) return [];
  const thresholds = longPrompts.map((_, index) =>
    valueAt(raw, [...path, "long_prompts", index, "above_prompt_tokens"]),
  );
  return thresholds.flatMap((threshold, index) =>
    threshold !== undefined && thresholds.indexOf(threshold) < index
      ? [problem([...path, "long_prompts", index, "above_prompt_tokens"], "duplicate", "has prices before")]
      : [],
  );
}

/** A price that no model has would be a slip of the pen, and its model be charged by the built-in list unnoticed. */
function withoutModel(raw: unknown, path: Path): Problem[] {
  const provider = valueAt(raw, [...path, "provider"]);
  const model = valueAt(raw, [...path, "model"]);
  const known = ["models", "embedding_models"].flatMap((section) =>
    namesIn(raw, [section])
      .filter((alias) => provider === undefined || valueAt(raw, [section, alias, "provider"]) === provider)
      .map((alias) => valueAt(raw, [section, alias, "model"]))
      .filter(isText),
  );
  // Without models there is nothing to charge, and what is wrong with a model is said there.
  if (!isText(model) || known.length === 0 || known.includes(model)) return [];
  const [nearest] = nearestNames(model, known);
  const hint = nearest === undefined ? "" : `; the nearest is ${nearest}`;
  return [problem([...path, "model"], "reference", `no model of the configuration is called this${hint}`)];
}

function unknownName(
  raw: unknown,
  path: Path,
  kind: "provider" | "model" | "embedding model",
  known: readonly string[],
): Problem[] {
  const name = valueAt(raw, path);
  if (!isText(name) || known.includes(name)) return [];
  const [nearest] = nearestNames(name, known);
  const hint = nearest === undefined ? "none is configured" : `the nearest is ${nearest}`;
  return [problem(path, "reference", `there is no such ${kind}; ${hint}`)];
}

/** A model that could not answer is not asked again by another place in the list. */
function repeatedFallbacks(raw: unknown, alias: string): Problem[] {
  const fallbacks = fallbacksOf(raw, alias);
  return fallbacks.flatMap((name, index) =>
    isText(name) && fallbacks.indexOf(name) < index
      ? [problem(["models", alias, "fallbacks", index], "duplicate", "this model is in the list before")]
      : [],
  );
}

/** One problem per cycle, at its first alias in the order of the file, with the whole way round: `a → b → a`. */
function cycles(models: readonly string[], key: string, nextOf: (alias: string) => readonly string[]): Problem[] {
  const found: Problem[] = [];
  const done = new Set<string>();
  const walk = (alias: string, trail: readonly string[]) => {
    const start = trail.indexOf(alias);
    if (start >= 0) {
      const round = [...trail.slice(start), alias].join(" → ");
      found.push(problem(["models", alias, key], "cycle", `goes in a circle: ${round}`));
    }
    if (start >= 0 || done.has(alias)) return;
    for (const following of nextOf(alias)) walk(following, [...trail, alias]);
    done.add(alias);
  };
  for (const alias of models) walk(alias, []);
  return found;
}

function escalationOf(raw: unknown, alias: string): readonly string[] {
  const name = valueAt(raw, ["models", alias, "escalate_to"]);
  return isText(name) ? [name] : [];
}

function fallbacksOf(raw: unknown, alias: string): readonly string[] {
  const fallbacks = valueAt(raw, ["models", alias, "fallbacks"]);
  return Array.isArray(fallbacks) ? fallbacks.map((name) => (isText(name) ? name : "")) : [];
}

function namesIn(raw: unknown, path: Path): readonly string[] {
  const section = valueAt(raw, path);
  return typeof section === "object" && section !== null ? Object.keys(section) : [];
}

function reserved(path: Path, owner: string): Problem {
  return problem(path, "reserved", `this name is reserved for ${owner}`);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}
