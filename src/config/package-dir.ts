import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The folder of our package.json, which lies at another height once the program is compiled. */
export function packageDir(from: string = import.meta.dirname): string {
  const parent = dirname(from);
  return existsSync(join(from, "package.json")) || parent === from ? from : packageDir(parent);
}

/** The version in our package.json. */
export function packageVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(join(packageDir(), "package.json"), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version);
  throw new Error("package.json has no version");
}
