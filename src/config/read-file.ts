import { closeSync, openSync, readSync } from "node:fs";
import { parseStrictYaml } from "../adapters/strict-yaml.ts";
import { unreadable } from "./check-files.ts";
import { ConfigError, type Rule } from "./problem.ts";

/** A configuration is written by hand; 1 MiB is far beyond any that was, and bounds what reading it can take. */
export const MAX_FILE_BYTES = 1024 * 1024;

/**
 * The YAML of a configuration file. An empty file is an empty configuration.
 * @throws ConfigError for a file that cannot be read, is too large, is not UTF-8 or not YAML, with lines and columns.
 */
export function readConfigFile(file: string): unknown {
  const fail = (rule: Rule, message: string) => new ConfigError(file, [{ path: "", rule, message }]);
  let bytes: Buffer;
  try {
    bytes = readBounded(file);
  } catch (error) {
    throw fail("file", unreadable(error));
  }
  if (bytes.length > MAX_FILE_BYTES) throw fail("file", `is larger than ${MAX_FILE_BYTES} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw fail("file", "is not UTF-8");
  }
  const result = parseStrictYaml(shieldReferences(text));
  if (result.ok) return unshieldReferences(result.value ?? {});
  throw new ConfigError(
    file,
    result.problems.map(({ line, column, message }) => ({
      path: "",
      rule: "yaml",
      message: `line ${line}, column ${column}: ${message}`,
    })),
  );
}

/*
 * In YAML the braces of `${NAME}` would open and close a mapping wherever one stands within {…} or […]. Characters of
 * the private use area take their places while the text is read, one for one, so that lines and columns stay right.
 */
function shieldReferences(text: string): string {
  return text.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, "$\uE000$1\uE001");
}

function unshieldReferences(value: unknown): unknown {
  if (typeof value === "string") return value.replace(/\$\uE000([A-Za-z0-9_]*)\uE001/g, (_, name) => `\${${name}}`);
  if (Array.isArray(value)) return value.map(unshieldReferences);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, child]) => [String(unshieldReferences(key)), unshieldReferences(child)]),
  );
}

/** Reads one byte past the limit at most, also of files whose size is not known before, such as pipes. */
function readBounded(file: string): Buffer {
  const buffer = Buffer.allocUnsafe(MAX_FILE_BYTES + 1);
  const descriptor = openSync(file, "r");
  try {
    let length = 0;
    for (;;) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null);
      length += read;
      if (read === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}
