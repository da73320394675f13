import {
  Circuit,
  type EmbeddingModel,
  type Model,
  type ModelPrice,
  type ModelState,
} from "../../gen/sluice/v1/model_pb.ts";
import { formatNanoUsd } from "../core/money.ts";
import { connect, type ServerOptions } from "./server-options.ts";
import { tableText } from "./table.ts";
import { exitCode, type Terminal } from "./terminal.ts";
import { grouped } from "./usage-money.ts";

export interface ModelsOptions extends ServerOptions {
  readonly long?: boolean;
}

const FIGURES = ["window", "output", "1M prompt tokens", "1M completion tokens"];

/** `sluice models`: the models that a running server can call; with `--long` what each is for under the table. */
export async function listModels(options: ModelsOptions, terminal: Terminal): Promise<number> {
  const { models, embeddingModels } = await connect(options, terminal).listModels();
  const head = ["model", "provider", "served by", ...FIGURES, "state", ""];
  terminal.stdout.write(tableText([head, ...models.map(rowOf)], FIGURES));
  if (embeddingModels.length > 0) {
    const figures = ["dimension", "longest text", "1M tokens"];
    const rows = embeddingModels.map(embeddingRowOf);
    const names = ["embedding model", "provider", "served by", ...figures, "state", ""];
    terminal.stdout.write(`\n${tableText([names, ...rows], figures)}`);
  }
  const described = [...models, ...embeddingModels].filter(({ description }) => description !== "");
  if (options.long && described.length > 0) {
    terminal.stdout.write(`\n${tableText(described.map(({ name, description }) => [name, description]))}`);
  }
  return exitCode.ok;
}

function rowOf(model: Model): string[] {
  return [
    model.name,
    model.provider,
    model.providerModel,
    grouped(model.contextTokens),
    grouped(model.maxOutputTokens),
    priceText(model.price, "promptNanoUsdPerMillionTokens"),
    priceText(model.price, "completionNanoUsdPerMillionTokens"),
    stateText(model.state),
    notesOf(model).join("; "),
  ];
}

function embeddingRowOf(model: EmbeddingModel): string[] {
  const { name, provider, providerModel, dimension, maxInputTokens, price, state, isDefault } = model;
  const figures = [String(dimension), grouped(maxInputTokens), priceText(price, "promptNanoUsdPerMillionTokens")];
  return [name, provider, providerModel, ...figures, stateText(state), isDefault ? "default" : ""];
}

function priceText(
  price: ModelPrice | undefined,
  part: "promptNanoUsdPerMillionTokens" | "completionNanoUsdPerMillionTokens",
): string {
  return price === undefined ? "unknown" : formatNanoUsd(price[part]);
}

/** Models of the sandbox have no state, nor has any model of a server that does not tell it. */
function stateText(state: ModelState | undefined): string {
  if (state === undefined) return "-";
  const { circuit, probeAfterMs, coolDownMs } = state;
  if (circuit === Circuit.OPEN) return `open${secondsText(probeAfterMs)}`;
  if (circuit === Circuit.HALF_OPEN) return "half-open";
  if (coolDownMs !== undefined) return `cooling${secondsText(coolDownMs)}`;
  const { inFlight, maxConcurrency, queued } = state;
  if (inFlight === 0) return "ok";
  return `ok, ${inFlight} of ${maxConcurrency} under way${queued > 0 ? `, ${queued} waiting` : ""}`;
}

/** Whole seconds, rounded up. */
function secondsText(ms: bigint | undefined): string {
  return ms === undefined ? "" : ` ${(ms + 999n) / 1000n} s`;
}

function notesOf({ isDefault, synthetic, fallbacks, escalateTo }: Model): string[] {
  return [
    ...(isDefault ? ["default"] : []),
    ...(synthetic ? ["no real model"] : []),
    ...(fallbacks.length === 0 ? [] : [`falls back to ${fallbacks.join(", ")}`]),
    ...(escalateTo === "" ? [] : [`escalates to ${escalateTo}`]),
  ];
}
