import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { BadRequestSchema, RetryInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { CacheMode } from "../../gen/sluice/v1/completion_input_pb.ts";
import { CacheStatus, FinishReason } from "../../gen/sluice/v1/completion_pb.ts";
import { UnknownNameDetailSchema } from "../../gen/sluice/v1/error_detail_pb.ts";
import { runCli } from "../../src/cli/program.ts";
import { type TemporaryFolder, temporaryFolder } from "../config/temporary-folder.ts";
import {
  answerOf,
  Code,
  delta,
  type FakeServer,
  failureOf,
  finished,
  restarted,
  startFakeServer,
} from "./fake-server.ts";
import { type RunOptions, runSluice } from "./run-sluice.ts";

describe("sluice complete", () => {
  let server: FakeServer | undefined;
  let folder: TemporaryFolder;

  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    folder.remove();
    await server?.close();
    server = undefined;
  });

  async function serve(...events: Parameters<typeof startFakeServer>[0]): Promise<FakeServer> {
    server = await startFakeServer(events);
    return server;
  }

  async function complete(args: readonly string[], options: RunOptions = {}) {
    const url = server?.url ?? "http://127.0.0.1:1";
    return runSluice(["complete", "summarize", ...args, "--server", url], options);
  }

  it("gives a pipe the whole answer, and says on standard error what it took", async () => {
    await serve(...answerOf("Hello", " wörld"));
    assert.deepEqual(await complete([]), {
      code: 0,
      stdout: "Hello wörld\n",
      stderr: [
        "fast (gpt-5-mini) · summarize v2 · cache miss · 1 attempt",
        "812 prompt + 120 completion tokens · cost $0.000443",
        "call id c-1",
        "",
      ].join("\n"),
    });
  });

  it("sends what its options say", async () => {
    const { inputs, keys } = await serve(...answerOf("x"));
    const file = folder.write("report.txt", "from a file\n");
    const { code } = await complete(
      [
        ...["--version", "v2", "--model", "fast", "--feature", "support", "--user", "u-17", "--no-cache"],
        ...["--var", `text=@${file}`, "--var", "note=a=b", "--var", "at=@@x", "--var", "piped=@-"],
        ...["--idempotency-key", "order-4711"],
        ...["--vars-json", '{"n": 12345678901234567890}', "--api-key-env", "KEY"],
        ...["--chunk", "a=first", "--chunk", `b=@${file}`],
      ],
      { stdin: "from a pipe", env: { KEY: "sluice_secret" } },
    );
    assert.equal(code, 0);
    const [input] = inputs;
    assert.equal(input?.prompt?.name, "summarize");
    assert.equal(input?.prompt?.version, "v2");
    assert.equal(
      input?.prompt?.variablesJson,
      '{"n": 12345678901234567890,"text":"from a file\\n","note":"a=b","at":"@x","piped":"from a pipe"}',
    );
    assert.deepEqual(
      input?.context?.chunks.map(({ id, text }) => [id, text]),
      [
        ["a", "first"],
        ["b", "from a file\n"],
      ],
    );
    assert.equal(input?.model, "fast");
    assert.equal(input?.attribution?.feature, "support");
    assert.equal(input?.attribution?.user, "u-17");
    assert.equal(input?.cache?.mode, CacheMode.BYPASS);
    assert.equal(input?.idempotencyKey, "order-4711");
    assert.deepEqual(keys, ["Bearer sluice_secret"]);
  });

  for (const [option, mode] of [
    ["--refresh", CacheMode.REFRESH],
    ["--only-if-cached", CacheMode.ONLY_IF_CACHED],
    ["--no-cache", CacheMode.BYPASS],
  ] as const) {
    it(`sends the cache mode of ${option}`, async () => {
      const { inputs } = await serve(...answerOf("x"));
      assert.equal((await complete([option])).code, 0);
      assert.deepEqual([inputs[0]?.cache?.mode, inputs[0]?.cache?.ttlSeconds], [mode, undefined]);
    });
  }

  it("sends the time to keep, the number of tokens and the deadline", async () => {
    const { inputs, deadlinesMs } = await serve(...answerOf("x"));
    await complete(["--ttl", "60", "--max-output-tokens", "300", "--timeout", "2.5"]);
    await complete([]);
    const [first, second] = inputs;
    assert.deepEqual([first?.cache?.mode, first?.cache?.ttlSeconds], [CacheMode.UNSPECIFIED, 60]);
    assert.equal(first?.generation?.maxOutputTokens, 300);
    assert.deepEqual([second?.cache, second?.generation], [undefined, undefined]);
    assert.deepEqual(deadlinesMs, ["2500", null]);
  });

  for (const [args, message] of [
    [["--refresh", "--only-if-cached"], "--refresh and --only-if-cached: only one of them"],
    [["--no-cache", "--refresh"], "--no-cache and --refresh: only one of them"],
    [["--no-cache", "--ttl", "5"], "--ttl: nothing is kept with --no-cache"],
    [["--ttl", "0"], "--ttl: must be a whole number from 1 to 2592000"],
    [["--ttl", "2592001"], "--ttl: must be a whole number from 1 to 2592000"],
    [["--max-output-tokens", "1.5"], "--max-output-tokens: must be a whole number from 1 to 1000000"],
    [["--timeout", "0"], "--timeout: must be a number of seconds from 0.001 to 86400, such as 30"],
    [["--timeout", "30s"], "--timeout: must be a number of seconds from 0.001 to 86400, such as 30"],
  ] as const) {
    it(`refuses ${args.join(" ")}, before it asks`, async () => {
      const { inputs } = await serve(...answerOf("x"));
      const { code, stderr } = await complete(args);
      assert.deepEqual([code, stderr, inputs.length], [2, `${message}\n`, 0]);
    });
  }

  it("refuses an idempotency key that is empty, before it asks", async () => {
    const { inputs } = await serve(...answerOf("x"));
    const { code, stderr } = await complete(["--idempotency-key", ""]);
    assert.deepEqual([code, inputs.length], [2, 0]);
    assert.match(stderr, /--idempotency-key: must not be empty/);
  });

  it("prints the whole completion as JSON where asked", async () => {
    await serve(...answerOf("x"));
    const { code, stdout, stderr } = await complete(["--json"]);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    const completion: unknown = JSON.parse(stdout);
    assert.ok(typeof completion === "object" && completion !== null && "costNanoUsd" in completion);
    assert.equal(completion.costNanoUsd, "443000");
  });

  it("gives a pipe only the answer that counts when it was made anew", async () => {
    await serve(delta(1, "void"), restarted(), delta(2, "good"), finished("good"));
    assert.equal((await complete([])).stdout, "good\n");
  });

  it("says what a reader should know: unknown cost, estimates, a cut answer, dropped context, citations", async () => {
    await serve(
      finished("x", {
        costNanoUsd: undefined,
        savedNanoUsd: 5n,
        cacheStatus: CacheStatus.MEMORY_HIT,
        finishReason: FinishReason.LENGTH,
        synthetic: true,
        usage: { promptTokens: 9n, cachedPromptTokens: 3n, completionTokens: 7n, reasoningTokens: 2n, estimated: true },
        truncation: { tokensBefore: 100n, tokensAfter: 50n, droppedChunkIds: ["a", "b"], droppedTurns: 1 },
        citations: [{ chunkId: "c" }, { chunkId: "d" }],
        attempts: [],
      }),
    );
    const { stderr } = await complete([]);
    assert.equal(
      stderr,
      [
        "fast (gpt-5-mini), no real model · summarize v2 · memory hit · 0 attempts",
        "9 prompt (3 cached) + 7 completion (2 reasoning) tokens, estimated · cost unknown, saved $0.000000005",
        "the answer is cut: it ran into its number of output tokens",
        "shortened to fit: 100 to 50 tokens, 2 chunks and 1 turn dropped",
        "cites c, d",
        "call id c-1",
        "",
      ].join("\n"),
    );
  });

  describe("on a terminal", () => {
    async function onTerminal(url: string) {
      const writes: string[] = [];
      const output = (name: string) => ({ isTTY: true, write: (text: string) => writes.push(`${name} ${text}`) });
      const terminal = { stdin: Readable.from([]), stdout: output("out"), stderr: output("err"), env: {} };
      const code = await runCli(["complete", "summarize", "--server", url], terminal);
      return { code, writes };
    }

    it("shows each piece as it comes, and what becomes void", async () => {
      const { url } = await serve(delta(1, "vo"), delta(2, "id"), restarted(), delta(3, "good"), finished("good"));
      const { code, writes } = await onTerminal(url);
      assert.equal(code, 0);
      assert.deepEqual(writes.slice(0, 6), [
        "out vo",
        "out id",
        "out \n",
        "err restarted by other: the answer broke off, and another model is asked; what was shown so far is void\n",
        "out good",
        "out \n",
      ]);
    });

    it("shows no control characters, which could command the terminal", async () => {
      const { url } = await serve(delta(1, "a\u001b]0;x\u0007\r\tb\n\u009bc"), finished("-"));
      const { writes } = await onTerminal(url);
      assert.equal(writes[0], "out a\uFFFD]0;x\uFFFD\uFFFD\tb\n\uFFFDc");
    });

    it("ends the line before it says what failed", async () => {
      const { url } = await serve(delta(1, "half"), failureOf("STREAM_INTERRUPTED", Code.Unavailable, "it broke off"));
      const { code, writes } = await onTerminal(url);
      assert.equal(code, 3);
      assert.deepEqual(writes.slice(0, 2), ["out half", "out \n"]);
    });
  });

  describe("failures", () => {
    it("say what is wrong with the request, and exit with 2", async () => {
      const field = { field: "input.prompt.variables.text", description: "is required" };
      const details = [{ desc: BadRequestSchema, value: { fieldViolations: [field] } }];
      await serve(failureOf("INVALID_REQUEST", Code.InvalidArgument, "the request is invalid", details));
      assert.deepEqual(await complete([]), {
        code: 2,
        stdout: "",
        stderr: [
          "INVALID_REQUEST: the request is invalid",
          "  input.prompt.variables.text (--var text): is required",
          "fix: Mend what is named above.",
          "call id: c-1",
          "",
        ].join("\n"),
      });
    });

    it("name what is spelled alike", async () => {
      const details = [{ desc: UnknownNameDetailSchema, value: { name: "summarise", nearest: ["summarize", "x"] } }];
      await serve(failureOf("UNKNOWN_PROMPT", Code.NotFound, "no such prompt", details));
      const { code, stderr } = await complete([]);
      assert.equal(code, 2);
      assert.match(stderr, /^nearest: summarize, x$/m);
      assert.match(stderr, /sluice prompts list/);
    });

    it("say how long to wait, and exit with 3", async () => {
      const details = [{ desc: RetryInfoSchema, value: { retryDelay: { seconds: 2n, nanos: 500_000_000 } } }];
      await serve(failureOf("RATE_LIMITED", Code.ResourceExhausted, "the window is exhausted", details));
      const { code, stdout, stderr } = await complete([]);
      assert.deepEqual([code, stdout], [3, ""]);
      assert.match(stderr, /^wait: 2500 ms$/m);
    });

    it("that a retry cannot mend exit with 1, also those of reasons that came later", async () => {
      for (const reason of ["PARSE_FAILURE", "QUOTA_EXHAUSTED", "INTERNAL", "SOMETHING_NEW", "constructor"]) {
        const { url, close } = await startFakeServer([failureOf(reason, Code.DataLoss, "no")]);
        const { code, stderr } = await runSluice(["complete", "summarize", "--server", url]);
        await close();
        assert.equal(code, 1, reason);
        assert.ok(stderr.startsWith(`${reason}: no\n`), stderr);
      }
    });

    it("name a server that does not answer, and exit with 3", async () => {
      const { code, stdout, stderr } = await complete([]);
      assert.deepEqual([code, stdout], [3, ""]);
      assert.equal(stderr, "no server at http://127.0.0.1:1; start one with `npm start` or name it with --server\n");
    });

    it("name a server that is no Sluice", async () => {
      const other = createServer((_, response) => response.writeHead(404).end("<h1>Not here</h1>"));
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      const address = other.address();
      assert.ok(address !== null && typeof address === "object");
      const { stderr } = await runSluice(["complete", "x", "--server", `http://127.0.0.1:${address.port}`]);
      other.close();
      assert.match(stderr, /^what answers at http:\/\/127\.0\.0\.1:\d+ is no Sluice server: /);
    });

    it("show stacks only where SLUICE_DEBUG is set", async () => {
      assert.doesNotMatch((await complete([])).stderr, /\n\s+at /);
      assert.match((await complete([], { env: { SLUICE_DEBUG: "1" } })).stderr, /\n\s+at /);
    });
  });

  describe("wrong usage exits with 2 and says", () => {
    const cases: readonly [behaviour: string, args: readonly string[], message: string][] = [
      ["that a variable has no name", ["--var", "x"], "--var: must be name=value, name=@file or name=@-"],
      ["that a variable is given twice", ["--var", "a=1", "--var", "a=2"], "--var a: is given twice"],
      ["that a variable is in the JSON too", ["--vars-json", '{"a":1}', "--var", "a=2"], "--var a: is given twice"],
      ["that a chunk has no id", ["--chunk", "=x"], "--chunk: must be id=text, id=@file or id=@-"],
      ["that JSON is none", ["--vars-json", "{"], "--vars-json: is not JSON"],
      ["that JSON is no object", ["--vars-json", "[]"], "--vars-json: must be a JSON object"],
      ["that a file is not there", ["--var", "a=@none.txt"], "--var a: none.txt: there is no such file"],
      ["that a file is a folder", ["--var", "a=@prompts"], "--var a: prompts: is a folder"],
      ["that a file name is missing", ["--var", "a=@"], "--var a: a file name must follow @"],
      ["that the key is not set", ["--api-key-env", "NONE"], "--api-key-env: the environment variable NONE is not set"],
      [
        "that the server's address is none",
        ["--server", "x"],
        "--server: must be an address such as http://127.0.0.1:8080",
      ],
    ];
    for (const [behaviour, args, message] of cases) {
      it(behaviour, async () => {
        const result = await runSluice(["complete", "summarize", ...args], { cwd: folder.path });
        assert.deepEqual(result, { code: 2, stdout: "", stderr: `${message}\n` });
      });
    }

    it("that a file is larger than 1 MiB, or no UTF-8; one of 1 MiB is sent", async () => {
      const { inputs } = await serve(...answerOf("x"));
      const fits = folder.write("fits", "x".repeat(1_048_576));
      const large = folder.write("large", "x".repeat(1_048_577));
      const latin = folder.write("latin", Uint8Array.of(0xe9));
      assert.equal((await complete(["--var", `a=@${fits}`])).code, 0);
      assert.equal(inputs[0]?.prompt?.variablesJson.length, 1_048_576 + '{"a":""}'.length);
      assert.match((await complete(["--var", `a=@${large}`])).stderr, /is larger than 1048576 bytes/);
      assert.match((await complete(["--var", `a=@${latin}`])).stderr, /is not UTF-8 text/);
    });
  });
});
