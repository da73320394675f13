/** Prompt files: `<name>/<version>.prompt`, read, checked, compiled and followed. Others import from here alone. */
export { loadBuiltinPrompts } from "./builtin-prompts.ts";
export { type LoadResult, loadPrompt, type PromptCompilers, type PromptSource } from "./load-prompt.ts";
export { formatProblem, PROMPT_RULES, type PromptFileProblem, PromptFilesError, type PromptRule } from "./problems.ts";
export { PromptIndex, versionNumber } from "./prompt-index.ts";
export { openPromptLibrary, type PromptLibraryOptions } from "./prompt-library.ts";
export { listPromptFiles, type PromptFile, type PromptTree, readPromptFile } from "./prompt-tree.ts";
export { isSchemaNode, type SchemaNode } from "./schema-nodes.ts";
export { Shape } from "./shape.ts";
