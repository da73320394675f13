import { InvalidSchemaError, type JsonSchema, type JsonSchemas } from "../../core/json-schema.ts";
import type { ProblemReport, PromptRule } from "./problems.ts";
import { CONTEXT_NAME, isReservedName } from "./reserved-names.ts";
import { isSchemaNode, resolveLocalRef, type SchemaNode, visitSchemas } from "./schema-nodes.ts";
import { pointerPath, type YamlPath, type YamlSource } from "./yaml-source.ts";

/** Compiles a schema of the front matter, or reports why it cannot be used. `path` is where it stands. */
export function compileSchema(
  schema: object,
  path: YamlPath,
  yaml: YamlSource,
  schemas: JsonSchemas,
  report: ProblemReport,
): JsonSchema | undefined {
  try {
    return schemas.compile(JSON.stringify(schema));
  } catch (error) {
    if (!(error instanceof InvalidSchemaError)) throw error;
    const where = `${path.join(".")}${error.pointer && ` at ${error.pointer}`}`;
    report.add(
      "invalid_schema",
      `${where}: ${error.rule}: ${error.message}`,
      yaml.lineOf(pointerPath(path, error.pointer)),
    );
    return undefined;
  }
}

/**
 * Checks what an input schema must be beyond a valid schema: an object that accepts only declared variables, at every
 * level that declares some. Otherwise a misspelled variable would pass unseen and its place in the text stay empty.
 */
export function checkInputSchema(root: SchemaNode, yaml: YamlSource, report: ProblemReport): boolean {
  let isSound = true;
  const refuse = (rule: PromptRule, pointer: string, message: string) => {
    isSound = false;
    report.add(rule, message, yaml.lineOf(pointerPath(["input", "schema"], pointer)));
  };
  if (root.type !== "object") refuse("input_object", "", "the input schema must have type: object");
  else if (root.additionalProperties !== false) {
    refuse("open_object", "", "the input schema must have additionalProperties: false");
  }
  visitSchemas(root, (node, pointer) => {
    if (pointer !== "" && node.properties !== undefined && node.additionalProperties !== false) {
      refuse("open_object", pointer, `the object schema at ${pointer} must have additionalProperties: false`);
    }
    if (typeof node.$ref === "string" && !resolveLocalRef(root, node.$ref)) {
      refuse("schema_ref", `${pointer}/$ref`, "a reference must be local, such as #/$defs/line, and name a schema");
    }
    if (node.$dynamicRef !== undefined) refuse("schema_ref", `${pointer}/$dynamicRef`, "$dynamicRef is not supported");
  });
  for (const name of Object.keys(isSchemaNode(root.properties) ? root.properties : {})) {
    if (!isReservedName(name)) continue;
    const why = name === CONTEXT_NAME ? "it always holds the context chunks" : "it has a meaning in templates";
    refuse("reserved_name", `/properties/${name}`, `a variable cannot be called ${name}: ${why}`);
  }
  return isSound;
}
