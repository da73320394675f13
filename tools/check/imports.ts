import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { posix } from "node:path";
import { readImports } from "../imports/read-imports.ts";
import type { Check } from "./check.ts";
import { root } from "./command.ts";
import { layerOf, layers } from "./layers.ts";

/** Imports run one way between the layers of src, and each package is named only where it belongs. */
export const imports: Check = {
  name: "imports",
  run: async () => {
    const files = globSync("src/**/*.ts", { cwd: root }).sort();
    return { problems: files.flatMap((path) => importProblems(path, readFileSync(`${root}/${path}`, "utf8"))) };
  },
};

/** The imports of one file of src that its layer does not allow. `path` is from the top folder, with slashes. */
export function importProblems(path: string, source: string): string[] {
  const layer = layerOf(path);
  const rule = layer === undefined ? undefined : layers[layer];
  if (layer === undefined || !rule) return [`${path}: no layer is declared for this folder in tools/check/layers.ts`];
  return readImports(source).flatMap(({ specifier, line }) => {
    const problem = specifier === undefined ? "imports a name that is computed" : importProblem(path, layer, specifier);
    return problem === undefined ? [] : [`${path}:${line}: ${problem}`];
  });
}

function importProblem(path: string, layer: string, specifier: string): string | undefined {
  const rule = layers[layer];
  if (specifier.startsWith(".")) {
    const target = posix.join(posix.dirname(path), specifier);
    const targetLayer = layerOf(target);
    if (targetLayer === layer || (targetLayer !== undefined && rule?.layers.includes(targetLayer))) return undefined;
    return `${layer} may not import ${target} (allowed: ${rule?.layers.join(", ")})`;
  }
  if (isBuiltin(specifier)) {
    if (rule?.node === false) return `${layer} may not import Node's ${specifier}`;
    return specifier.startsWith("node:") ? undefined : `write node:${specifier}`;
  }
  const allowed = rule?.packages.some((name) =>
    (name.endsWith("/") ? specifier : `${specifier}/`).startsWith(name.endsWith("/") ? name : `${name}/`),
  );
  return allowed ? undefined : `${layer} may not import ${specifier} (allowed: ${rule?.packages.join(", ")})`;
}
