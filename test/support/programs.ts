import { spawnSync } from "node:child_process";
import { accessSync, constants, globSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** The path of the first of `names` that is an executable on the PATH, or undefined. */
export function findProgram(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/** A Python that can import every one of `modules`: `SLUICE_TEST_PYTHON`, else one of the PATH, else the system's. */
export function findPython(...modules: string[]): string | undefined {
  const candidates = [process.env.SLUICE_TEST_PYTHON, findProgram("python3"), "/usr/bin/python3"];
  return candidates.find(
    (candidate) => candidate !== undefined && succeeds(candidate, ["-c", `import ${modules.join(", ")}`]),
  );
}

/** A Postgres installation: the folder of its programs, and whether it has pgvector. */
export interface PostgresInstallation {
  binFolder: string;
  hasVector: boolean;
}

/** The local Postgres installation to test with: one that has pgvector where there is one, else any, else undefined. */
export function findPostgres(): PostgresInstallation | undefined {
  const onPath = findProgram("initdb");
  // Debian keeps the server's programs out of the PATH, one folder for each major version.
  const folders = [
    ...(onPath ? [dirname(realpathSync(onPath))] : []),
    ...globSync("/usr/lib/postgresql/*/bin").sort().reverse(),
  ];
  const found = folders
    .filter((folder) => isExecutable(join(folder, "initdb")) && isExecutable(join(folder, "postgres")))
    .map((binFolder) => ({ binFolder, hasVector: hasVector(binFolder) }));
  return found.find((installation) => installation.hasVector) ?? found[0];
}

function hasVector(binFolder: string): boolean {
  const shared = spawnSync(join(binFolder, "pg_config"), ["--sharedir"], { encoding: "utf8" });
  const version = /postgresql\/([0-9]+)\/bin$/.exec(binFolder)?.[1];
  const shareFolder = shared.status === 0 ? shared.stdout.trim() : `/usr/share/postgresql/${version}`;
  return globSync(join(shareFolder, "extension/vector.control")).length > 0;
}

/** Whether a program can be started and ends with exit code 0. Its output is dropped. */
export function succeeds(program: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return spawnSync(program, args, { stdio: "ignore", ...options }).status === 0;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
