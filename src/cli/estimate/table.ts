import type {
  AttemptTokens,
  CostEstimate,
  EstimatedCost,
  MeasuredHistory,
  ModelEstimate,
} from "../../../gen/sluice/v1/estimate_pb.ts";
import { tableText } from "../table.ts";
import { printable } from "../terminal.ts";
import { grouped, moneyText } from "../usage-money.ts";
import { decimalText, groupedDecimalText, percentText, sourceText } from "./figures.ts";

const FIGURES = [
  ...["prompt", "completion", "a request", "day: input", "day: output", "day: total"],
  ...["month", "month at 10x"],
];

/** The factors in words, then a line for each model. */
export function estimateTable(estimate: CostEstimate): string {
  const { cacheHits, attemptsPerCall, history, models } = estimate;
  const factors = [
    `${grouped(estimate.requestsPerDay)} requests a day`,
    ...(cacheHits ? [`${percentText(cacheHits.millionths)} of them free (${sourceText(cacheHits.source)})`] : []),
    ...(attemptsPerCall
      ? [`${attemptsText(attemptsPerCall.millionths)} a call (${sourceText(attemptsPerCall.source)})`]
      : []),
    `a month is ${estimate.daysPerMonth} days`,
  ];
  const measured = history ? `${historyText(history)}\n` : "";
  const rows = models.map((model) => rowOf(model));
  return `${printable(`${factors.join(", ")}\n${measured}`)}\n${tableText([["model", ...FIGURES, ""], ...rows], FIGURES)}`;
}

function attemptsText(millionths: bigint): string {
  return millionths === 1_000_000n ? "1 attempt" : `${decimalText(millionths)} attempts`;
}

function historyText({ feature, prompt, days, payingCalls, freeCalls, attempts }: MeasuredHistory): string {
  const whose = [...(feature === "" ? [] : [`feature ${feature}`]), ...(prompt === "" ? [] : [`prompt ${prompt}`])];
  const span = days === 1 ? "day" : `${days} days`;
  return `measured for ${whose.join(", ")} over the last ${span}: ${grouped(payingCalls + freeCalls)} calls, ${grouped(freeCalls)} free, ${grouped(attempts)} paid attempts`;
}

function rowOf(model: ModelEstimate): string[] {
  const { tokens, outcome, synthetic } = model;
  const sizes = [promptText(tokens), tokens ? grouped(tokens.completionTokens) : "-"];
  const notes = synthetic ? ["no real model"] : [];
  if (outcome.case !== "costs") {
    const reason = outcome.value?.description ?? "the server does not say why";
    return [model.model, ...sizes, ...Array<string>(6).fill("unknown"), [...notes, reason].join("; ")];
  }
  const { request, day, month, monthAtTenTimes } = outcome.value;
  return [
    model.model,
    ...sizes,
    totalText(request),
    day ? moneyText(day.inputNanoUsd) : "-",
    day ? moneyText(day.outputNanoUsd) : "-",
    totalText(day),
    totalText(month),
    totalText(monthAtTenTimes),
    notes.join("; "),
  ];
}

/** The mean, and the range where samples differ. */
function promptText(tokens: AttemptTokens | undefined): string {
  if (!tokens) return "-";
  const mean = groupedDecimalText(tokens.meanPromptTokensMillionths);
  const { minPromptTokens, maxPromptTokens } = tokens;
  return minPromptTokens === maxPromptTokens
    ? mean
    : `${mean} (${grouped(minPromptTokens)} to ${grouped(maxPromptTokens)})`;
}

function totalText(cost: EstimatedCost | undefined): string {
  return cost ? moneyText(cost.totalNanoUsd) : "-";
}
