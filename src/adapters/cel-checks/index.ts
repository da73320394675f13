/** Semantic checks: CEL rules over an answer, its input and its context. Others import from here alone. */
export { createCheckCompiler } from "./compiler.ts";
