import type { CostEstimate, EstimatedCost, ModelEstimate } from "../../../gen/sluice/v1/estimate_pb.ts";
import { formatNanoUsd } from "../../core/money.ts";
import { decimalText } from "./figures.ts";

const PERIODS = ["attempt", "request", "day", "month", "month_at_ten_times"] as const;

const HEAD = [
  "model",
  "provider",
  "provider_model",
  "price_version",
  "requests_per_day",
  "cache_hit_rate",
  "attempts_per_call",
  "min_prompt_tokens",
  "mean_prompt_tokens",
  "max_prompt_tokens",
  "completion_tokens",
  ...PERIODS.flatMap((period) => [`${period}_input_usd`, `${period}_output_usd`, `${period}_total_usd`]),
  "unknown",
];

/** A head and a line for each model, as RFC 4180 says. Amounts are USD with all their digits; unknown ones are empty. */
export function estimateCsv(estimate: CostEstimate): string {
  return [HEAD, ...estimate.models.map((model) => lineOf(estimate, model))].map(csvLine).join("");
}

function lineOf({ requestsPerDay, cacheHits, attemptsPerCall }: CostEstimate, model: ModelEstimate): string[] {
  const { tokens, outcome, price } = model;
  const costs = outcome.case === "costs" ? outcome.value : undefined;
  const periods = [costs?.attempt, costs?.request, costs?.day, costs?.month, costs?.monthAtTenTimes];
  return [
    model.model,
    model.provider,
    model.providerModel,
    price?.version ?? "",
    String(requestsPerDay),
    decimalText(cacheHits?.millionths ?? 0n),
    decimalText(attemptsPerCall?.millionths ?? 0n),
    ...(tokens
      ? [
          String(tokens.minPromptTokens),
          decimalText(tokens.meanPromptTokensMillionths),
          String(tokens.maxPromptTokens),
          String(tokens.completionTokens),
        ]
      : ["", "", "", ""]),
    ...periods.flatMap(amounts),
    outcome.case === "unknown" ? outcome.value.description : "",
  ];
}

function amounts(cost: EstimatedCost | undefined): string[] {
  if (!cost) return ["", "", ""];
  return [cost.inputNanoUsd, cost.outputNanoUsd, cost.totalNanoUsd].map((amount) =>
    formatNanoUsd(amount).replace("$", ""),
  );
}

function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\r\n`;
}
