import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Command } from "commander";
import {
  CostEstimateSchema,
  type EstimateInputSchema,
  EstimateSource,
  UnknownCostReason,
} from "../../gen/sluice/v1/estimate_pb.ts";
import { addEstimateCommand } from "../../src/cli/estimate-command.ts";
import { UserError } from "../../src/cli/terminal.ts";
import { useTemporaryFolder } from "../support/temporary-folder.ts";

const cost = (inputNanoUsd: bigint, outputNanoUsd: bigint) => ({
  inputNanoUsd,
  outputNanoUsd,
  totalNanoUsd: inputNanoUsd + outputNanoUsd,
});

const answer = create(CostEstimateSchema, {
  requestsPerDay: 10_000n,
  cacheHits: { millionths: 350_000n, source: EstimateSource.GIVEN },
  attemptsPerCall: { millionths: 1_000_000n, source: EstimateSource.DEFAULT },
  daysPerMonth: 30.4375,
  history: { feature: "sup\u001bport", days: 30, freeCalls: 35n, payingCalls: 65n, attempts: 65n },
  models: [
    {
      model: "smart",
      provider: "main",
      providerModel: 'smart, "large"',
      price: { version: "override" },
      tokens: {
        minPromptTokens: 1200n,
        maxPromptTokens: 1200n,
        meanPromptTokensMillionths: 1_200_000_000n,
        completionTokens: 300n,
      },
      outcome: {
        case: "costs",
        value: {
          attempt: cost(3_600_000n, 4_500_000n),
          request: cost(2_340_000n, 2_925_000n),
          day: cost(23_400_000_000n, 29_250_000_000n),
          month: cost(712_237_500_000n, 890_296_875_000n),
          monthAtTenTimes: cost(7_122_375_000_000n, 8_902_968_750_000n),
        },
      },
    },
    {
      model: "own",
      provider: "local",
      providerModel: "own-7b",
      tokens: {
        minPromptTokens: 1100n,
        maxPromptTokens: 1301n,
        meanPromptTokensMillionths: 1_200_500_000n,
        completionTokens: 300n,
      },
      outcome: {
        case: "unknown",
        value: { reason: UnknownCostReason.NO_PRICE, description: "no price is known for own-7b of local" },
      },
    },
  ],
});

/** Runs the command against a client that gives the answer above; returns what was asked and printed. */
async function run(args: readonly string[], stdin = "") {
  const asked: MessageInitShape<typeof EstimateInputSchema>[] = [];
  let stdout = "";
  const terminal = {
    stdin: Readable.from([stdin]),
    stdout: {
      write(text: string) {
        stdout += text;
      },
    },
    stderr: { write: () => {} },
    env: {},
  };
  const client = {
    async estimateCost(input: MessageInitShape<typeof EstimateInputSchema>) {
      asked.push(input);
      return answer;
    },
  };
  const program = new Command("sluice").exitOverride();
  const settings = {
    terminal,
    run:
      <Given extends unknown[]>(action: (...given: Given) => Promise<number> | number) =>
      async (...given: Given) =>
        assert.equal(await action(...given), 0),
  };
  addEstimateCommand(program, settings, () => client);
  await program.parseAsync(["estimate", ...args], { from: "user" });
  return { stdout, input: asked[0] };
}

const perDay = ["--requests-per-day", "10000"];

describe("sluice estimate", () => {
  const folder = useTemporaryFolder();

  it("shows models side by side, and unknown as unknown", async () => {
    const { stdout } = await run(perDay);
    assert.equal(
      stdout,
      [
        "10,000 requests a day, 35 % of them free (given), 1 attempt a call (assumed), a month is 30.4375 days",
        "measured for feature sup\uFFFDport over the last 30 days: 100 calls, 35 free, 65 paid attempts",
        "",
        "model                    prompt  completion  a request  day: input  day: output  day: total      month  month at 10x",
        "smart                     1,200         300   $0.00527      $23.40       $29.25      $52.65  $1,602.53    $16,025.34",
        "own    1,200.5 (1,100 to 1,301)         300    unknown     unknown      unknown     unknown    unknown       unknown  no price is known for own-7b of local",
        "",
      ].join("\n"),
    );
  });

  it("prints CSV with every digit, and empty cells for what is unknown", async () => {
    const { stdout } = await run([...perDay, "--csv"]);
    const [head, smart, own, end] = stdout.split("\r\n");
    assert.equal(head?.split(",").length, 27);
    assert.equal(
      smart,
      'smart,main,"smart, ""large""",override,10000,0.35,1,1200,1200,1200,300,0.0036,0.0045,0.0081,0.00234,0.002925,0.005265,23.40,29.25,52.65,712.2375,890.296875,1602.534375,7122.375,8902.96875,16025.34375,',
    );
    assert.equal(
      own,
      `own,local,own-7b,,10000,0.35,1,1100,1200.5,1301,300${",".repeat(16)}no price is known for own-7b of local`,
    );
    assert.equal(end, "");
  });

  it("prints the whole answer as JSON", async () => {
    const { stdout } = await run([...perDay, "--json"]);
    assert.equal(JSON.parse(stdout).models[0].costs.month.totalNanoUsd, "1602534375000");
    assert.equal(JSON.parse(stdout).models[0].tokens.reasoningTokens, "0");
  });

  it("sends what its options say, and leaves out what they do not", async () => {
    assert.deepEqual((await run(perDay)).input, { models: [], requestsPerDay: 10_000n, feature: "" });
    const numbers = ["--prompt-tokens", "1200", "--completion-tokens", "300", "--reasoning-tokens", "0"];
    const rates = ["--cached-prompt-rate", "0.4", "--cache-hit-rate", "0.35", "--attempts-per-call", "1.15"];
    const history = ["--feature", "support", "--days", "7", "--model", "fast", "--model", "smart"];
    assert.deepEqual((await run([...perDay, ...numbers, ...rates, ...history])).input, {
      models: ["fast", "smart"],
      requestsPerDay: 10_000n,
      promptTokens: 1200n,
      completionTokens: 300n,
      reasoningTokens: 0n,
      cachedPromptRate: 0.4,
      cacheHitRate: 0.35,
      attemptsPerCall: 1.15,
      feature: "support",
      historyDays: 7,
    });
  });

  it("reads samples from texts, files, standard input and JSON, each with the variables of all", async () => {
    const file = folder("a.json");
    writeFileSync(file, '{"text":"file","n":1.10}');
    const samples = ["--sample", "text=a", "--sample", "text=@-", "--sample", `@${file}`, "--sample", '{"text":"j"}'];
    const { input } = await run(["greet", "--version", "v2", ...perDay, "--var", "tone=dry", ...samples], "piped");
    assert.deepEqual(input?.prompt, {
      name: "greet",
      version: "v2",
      samples: [
        '{"tone":"dry","text":"a"}',
        '{"tone":"dry","text":"piped"}',
        '{"text":"file","n":1.10,"tone":"dry"}',
        '{"text":"j","tone":"dry"}',
      ].map((variablesJson) => ({ variablesJson })),
    });
  });

  it("takes what all samples share for the one sample where there is no other", async () => {
    const { input } = await run(["greet", ...perDay, "--var", "text=a"]);
    assert.deepEqual(input?.prompt?.samples, [{ variablesJson: '{"text":"a"}' }]);
  });

  for (const [args, message] of [
    [["--requests-per-day", "-5"], "--requests-per-day: must be a whole number, 1 or more, such as 10000"],
    [["--requests-per-day", "0"], "--requests-per-day: must be a whole number, 1 or more, such as 10000"],
    [["--requests-per-day", "1e6"], "--requests-per-day: must be a whole number, 1 or more, such as 10000"],
    [[...perDay, "--prompt-tokens", "1.5"], "--prompt-tokens: must be a whole number, 1 or more, such as 10000"],
    [[...perDay, "--cache-hit-rate", "NaN"], "--cache-hit-rate: must be a decimal number, such as 0.35"],
    [[...perDay, "--cache-hit-rate", "35%"], "--cache-hit-rate: must be a decimal number, such as 0.35"],
    [[...perDay, "--attempts-per-call", "Infinity"], "--attempts-per-call: must be a decimal number, such as 0.35"],
    [[...perDay, "--days", "0"], "--days: must be 1 to 366"],
    [[...perDay, "--sample", "text=a"], "--sample: needs the name of a prompt"],
    [[...perDay, "--var", "text=a"], "--var: needs the name of a prompt"],
    [[...perDay, "--version", "v1"], "--version: needs the name of a prompt"],
    [["greet", ...perDay, "--sample", "=a"], "--sample: must be name=value, name=@file, name=@- or a JSON object"],
    [["greet", ...perDay, "--var", "text=a", "--sample", "text=b"], "--var text: is given twice"],
    [[...perDay, "--json", "--csv"], "--csv: cannot be used together with --json"],
  ] as const) {
    it(`refuses ${args.join(" ")}`, () =>
      assert.rejects(run(args), (error) => error instanceof UserError && error.message === message));
  }
});
