import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonSchemas } from "../../core/json-schema.ts";
import type { BuiltinPrompts, LoadedPrompt } from "../../core/prompt.ts";
import { type CheckCompiler, NO_CHECKS } from "../../core/semantic-check.ts";
import { loadPrompt } from "./load-prompt.ts";
import { PromptFilesError } from "./problems.ts";

/** The builtin prompts have no checks: they are parts of others, whose answers are checked. */
const WITHOUT_CHECKS: CheckCompiler = { compile: () => NO_CHECKS };

/**
 * Loads the prompts that ship with Sluice, from the files beside this one.
 * @throws PromptFilesError when the installation is damaged.
 */
export function loadBuiltinPrompts(schemas: JsonSchemas): BuiltinPrompts {
  return {
    contextBlock: loadBuiltin("context-block", schemas),
    jsonInstructions: loadBuiltin("json-instructions", schemas),
    correction: loadBuiltin("correction", schemas),
  };
}

function loadBuiltin(name: string, schemas: JsonSchemas): LoadedPrompt {
  const file = join(import.meta.dirname, "builtin", `${name}.prompt`);
  const result = loadPrompt(
    { file, name, version: "v1", bytes: readFileSync(file) },
    { schemas, checks: WITHOUT_CHECKS },
    "any_roles",
  );
  if (!result.ok) throw new PromptFilesError(result.problems);
  return result.prompt;
}
