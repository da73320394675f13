import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export interface TemporaryFolder {
  readonly path: string;
  /** Writes a file, with the folders on its way, and returns its path. */
  write(name: string, content: string | Uint8Array): string;
  remove(): void;
}

/** A folder for one test, with an empty `prompts` folder in it. */
export function temporaryFolder(): TemporaryFolder {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "sluice-config-")));
  mkdirSync(join(path, "prompts"));
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
