import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openPromptLibrary, PromptFilesError } from "../../../src/adapters/prompt-files/index.ts";
import { SluiceError } from "../../../src/core/failure.ts";
import type { PromptLibrary } from "../../../src/core/prompt.ts";
import { checks, promptText, recordingLog, render, schemas } from "./prompt-sources.ts";

const says = (text: string) => promptText("", `@user\n${text}`);

describe("the prompt library", () => {
  let root: string;
  let dir: string;
  let servedDir: string;
  let log: ReturnType<typeof recordingLog>;
  const open: { close(): void }[] = [];

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "sluice-prompts-"));
    dir = join(root, "prompts");
    servedDir = join(root, "served");
    log = recordingLog();
    mkdirSync(dir);
  });
  afterEach(() => {
    for (const library of open.splice(0)) library.close();
    rmSync(root, { recursive: true, force: true });
  });

  function write(path: string, text: string): void {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  }

  async function openLibrary(
    options: { watch?: boolean; remembers?: boolean } = {},
  ): Promise<PromptLibrary & { close(): void }> {
    const remembered = options.remembers ? { servedDir } : {};
    const library = await openPromptLibrary({
      dir,
      schemas,
      checks,
      log,
      watch: options.watch ?? false,
      ...remembered,
    });
    open.push(library);
    return library;
  }

  const textOf = (library: PromptLibrary, name: string, version = "") =>
    render(library.get(name, version), {})[0]?.text;
  /** The source tells the text without rendering, which would make the version immutable. */
  const sourceOf = (library: PromptLibrary, name: string) => library.get(name, "").source;
  const refusals = () => log.lines.filter(({ event }) => event === "prompt_refused").map(({ fields }) => fields);

  async function until(what: string, isTrue: () => boolean): Promise<void> {
    for (let tries = 0; tries < 700; tries++) {
      if (isTrue()) return;
      await wait(20);
    }
    assert.fail(`never happened: ${what}`);
  }

  it("gives a version by name, and the highest as latest", async () => {
    for (const version of [1, 2, 10]) write(`hello/v${version}.prompt`, says(`Hello ${version}`));
    const library = await openLibrary();
    assert.equal(textOf(library, "hello", "v2"), "Hello 2");
    assert.equal(textOf(library, "hello", "latest"), "Hello 10");
    assert.equal(textOf(library, "hello"), "Hello 10");
  });

  it("lists by name, then version from the highest", async () => {
    for (const path of ["b/v1.prompt", "a/v9.prompt", "a/v10.prompt"]) write(path, says("x"));
    const list = (await openLibrary()).list().map(({ name, version }) => `${name} ${version}`);
    assert.deepEqual(list, ["a v10", "a v9", "b v1"]);
  });

  it("names the nearest prompts, or versions where the name is right", async () => {
    for (const path of ["summarize/v1.prompt", "summarize/v2.prompt", "translate/v1.prompt"]) write(path, says("x"));
    const library = await openLibrary();
    const failure = (name: string, version: string) => {
      try {
        library.get(name, version);
      } catch (error) {
        return error instanceof SluiceError ? error.failure : error;
      }
      return undefined;
    };
    const unknownName = { reason: "UNKNOWN_PROMPT", name: "summarise", nearest: ["summarize", "translate"] };
    assert.deepEqual(failure("summarise", "v1"), unknownName);
    const unknownVersion = { reason: "UNKNOWN_PROMPT", name: "summarize", version: "v3", nearest: ["v1", "v2"] };
    assert.deepEqual(failure("summarize", "v3"), unknownVersion);
  });

  it("reports the problems of all files at the start, in one error", async () => {
    write("a/v1.prompt", "no front matter");
    write("b/v1.prompt", promptText("", "@user\n{{x}}"));
    write("b/one.prompt", says("x"));
    write("B/v1.prompt", says("x"));
    write("stray.prompt", says("x"));
    await assert.rejects(openLibrary(), (error) => {
      assert.ok(error instanceof PromptFilesError);
      const problems = error.problems.map(({ file, rule }) => `${file.slice(dir.length + 1)} ${rule}`).sort();
      assert.deepEqual(problems, [
        "B/v1.prompt file_name",
        "a/v1.prompt front_matter",
        "b/one.prompt file_name",
        "b/v1.prompt unknown_variable",
        "stray.prompt file_name",
      ]);
      assert.match(error.message, /b\/v1\.prompt:10: unknown_variable: x is not declared/);
      return true;
    });
  });

  it("reports a folder that is not there", async () => {
    rmSync(dir, { recursive: true });
    await assert.rejects(openLibrary(), (error) => {
      assert.ok(error instanceof PromptFilesError);
      assert.equal(error.problems[0]?.rule, "prompts_dir");
      return true;
    });
  });

  it("leaves other files alone", async () => {
    write("a/v1.prompt", says("x"));
    write("a/README.md", "not a prompt");
    write("a/samples/s.json", "{}");
    write(".git/v1.prompt", "not a prompt");
    assert.equal((await openLibrary()).list().length, 1);
  });

  it("takes up new files, changed ones and deletions", async () => {
    write("a/v1.prompt", says("one"));
    const library = await openLibrary({ watch: true });
    write("a/v1.prompt", says("two"));
    await until("the change", () => sourceOf(library, "a") === says("two"));
    write("b/v1.prompt", says("new"));
    await until("the new prompt", () => library.list().length === 2);
    write("a/v2.prompt", says("three"));
    await until("the new version", () => library.get("a", "").version === "v2");
    rmSync(join(dir, "a/v2.prompt"));
    await until("the deletion", () => library.get("a", "").version === "v1");
  });

  it("keeps the last good version when a file breaks, and says why", async () => {
    write("a/v1.prompt", says("good"));
    const library = await openLibrary({ watch: true });
    write("a/v1.prompt", promptText("", "@user\n{{oops}}"));
    await until("the refusal", () => refusals().length > 0);
    assert.equal(sourceOf(library, "a"), says("good"));
    const { file, line, rule } = refusals()[0] ?? {};
    assert.deepEqual({ file, line, rule }, { file: join(dir, "a/v1.prompt"), line: 10, rule: "unknown_variable" });
    write("a/v1.prompt", says("mended"));
    await until("the mended file", () => sourceOf(library, "a") === says("mended"));
  });

  it("keeps its prompts while the folder is away", async () => {
    write("a/v1.prompt", says("x"));
    const library = await openLibrary({ watch: true });
    renameSync(dir, `${dir}-away`);
    await until("the failed look", () => log.lines.some(({ event }) => event === "prompts_reload_failed"));
    const failed = log.lines.find(({ event }) => event === "prompts_reload_failed");
    assert.deepEqual(failed?.fields, { dir, code: "ENOENT" });
    assert.equal(textOf(library, "a"), "x");
  });

  it("refuses to change a version that was served, and goes on serving it", async () => {
    write("a/v1.prompt", says("served"));
    const library = await openLibrary({ watch: true });
    assert.equal(textOf(library, "a"), "served");
    write("a/v1.prompt", says("edited"));
    await until("the refusal", () => refusals().length > 0);
    assert.equal(refusals()[0]?.rule, "served_version_changed");
    assert.match(String(refusals()[0]?.message), /make a new version/);
    assert.equal(textOf(library, "a"), "served");
    write("a/v2.prompt", says("edited"));
    await until("the new version", () => library.get("a", "").version === "v2");
    assert.equal(textOf(library, "a", "v1"), "served");
  });

  it("lets a version that was only looked at be changed", async () => {
    write("a/v1.prompt", says("draft"));
    const library = await openLibrary({ watch: true });
    library.get("a", "v1");
    write("a/v1.prompt", says("final"));
    await until("the change", () => sourceOf(library, "a") === says("final"));
  });

  it("keeps the text of a call that got hold of a version just before it changed", async () => {
    write("a/v1.prompt", says("first"));
    const library = await openLibrary({ watch: true });
    const held = library.get("a", "v1");
    write("a/v1.prompt", says("second"));
    await until("the change", () => sourceOf(library, "a") === says("second"));
    render(held, {});
    assert.equal(textOf(library, "a"), "first");
    assert.equal(refusals()[0]?.rule, "served_version_changed");
  });

  it("does not count a call with wrong variables as served", async () => {
    write("a/v1.prompt", says("draft"));
    const library = await openLibrary({ watch: true });
    assert.throws(() => render(library.get("a", ""), { x: 1 }), SluiceError);
    write("a/v1.prompt", says("final"));
    await until("the change", () => sourceOf(library, "a") === says("final"));
  });

  it("remembers over a restart what was served", async () => {
    write("a/v1.prompt", says("served"));
    const before = await openLibrary({ remembers: true });
    assert.equal(textOf(before, "a"), "served");
    before.close();
    write("a/v1.prompt", says("edited"));
    const after = await openLibrary({ remembers: true });
    assert.equal(textOf(after, "a"), "served");
    assert.equal(refusals()[0]?.rule, "served_version_changed");
  });

  it("remembers that a version was served even where it was not used since the restart", async () => {
    write("a/v1.prompt", says("served"));
    const before = await openLibrary({ remembers: true });
    textOf(before, "a");
    before.close();
    const after = await openLibrary({ remembers: true, watch: true });
    write("a/v1.prompt", says("edited"));
    await until("the refusal", () => refusals().length > 0);
    assert.equal(sourceOf(after, "a"), says("served"));
  });

  it("writes the copy while it runs, not only at its end", async () => {
    write("a/v1.prompt", says("served"));
    const library = await openLibrary({ remembers: true });
    textOf(library, "a");
    await until("the copy", () => readdirSync(servedDir).some((file) => file.endsWith(".prompt")));
  });

  it("starts with a damaged copy, and takes the file as it is", async () => {
    write("a/v1.prompt", says("served"));
    const before = await openLibrary({ remembers: true });
    textOf(before, "a");
    before.close();
    for (const file of readdirSync(servedDir)) writeFileSync(join(servedDir, file), "damaged");
    write("a/v1.prompt", says("edited"));
    const after = await openLibrary({ remembers: true });
    assert.equal(textOf(after, "a"), "edited");
    assert.ok(log.lines.some(({ event }) => event === "prompt_served_copy_damaged"));
  });

  it("works where the folder for copies cannot be made", async () => {
    writeFileSync(servedDir, "a file is in the way");
    write("a/v1.prompt", says("served"));
    const library = await openLibrary({ remembers: true });
    assert.equal(textOf(library, "a"), "served");
    await until("the warning", () => log.lines.some(({ event }) => event === "prompt_served_copy_failed"));
  });
});
