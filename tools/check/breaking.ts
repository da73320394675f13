import { existsSync } from "node:fs";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check, Outcome } from "./check.ts";
import { root, runProgram } from "./command.ts";

const shallowNote = "no release in this shallow clone; git fetch --unshallow --tags would show all";

/** The contract breaks no caller of the last release: the newest tag `v*` that HEAD descends from. */
export const breaking: Check = {
  name: "breaking",
  run: async () => {
    const release = await lastRelease();
    if (release === undefined) return { problems: [], note: (await isShallow()) ? shallowNote : "no release yet" };
    return { ...(await compareWith(release)), note: `against ${release}` };
  },
};

async function lastRelease(): Promise<string | undefined> {
  const args = ["tag", "--merged", "HEAD", "--list", "v*", "--sort=-version:refname"];
  const { code, stdout, stderr } = await runProgram("git", args);
  if (code !== 0) throw new Error(`not a git repository: ${stderr.trim()}`);
  return stdout.split("\n").find((tag) => /^v[0-9]+\.[0-9]+\.[0-9]+$/.test(tag));
}

/** A shallow clone may lack the tags, or the commits that would show which of them are ancestors. */
async function isShallow(): Promise<boolean> {
  const { stdout } = await runProgram("git", ["rev-parse", "--is-shallow-repository"]);
  return stdout.trim() === "true";
}

/** Compares the contract with the one of a git ref. Its third-party protos are those that are installed now. */
export async function compareWith(ref: string): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-breaking-"));
  try {
    await mustSucceed("git", ["archive", "--format=tar", "-o", join(folder, "release.tar"), ref, "buf.yaml", "proto"]);
    await mustSucceed("tar", ["-xf", "release.tar"], folder);
    for (const name of ["node_modules", ".protos"]) {
      if (existsSync(join(root, name))) await symlink(join(root, name), join(folder, name));
    }
    await mustSucceed("buf", ["build", "proto", "-o", "release.binpb"], folder);
    const against = join(folder, "release.binpb");
    const { code, stdout, stderr } = await runProgram("buf", [
      "breaking",
      "proto",
      "--against",
      against,
      "--exclude-imports",
    ]);
    return { problems: code === 0 ? [] : [`${stdout}${stderr}`.trim()] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function mustSucceed(program: string, args: string[], cwd = root): Promise<void> {
  const { code, stderr } = await runProgram(program, args, cwd);
  if (code !== 0) throw new Error(`${program} ${args[0]} ended with ${code}: ${stderr.trim()}`);
}
