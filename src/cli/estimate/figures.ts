import { type EstimateFactor, EstimateSource } from "../../../gen/sluice/v1/estimate_pb.ts";
import { grouped } from "../usage-money.ts";

/** `1234500n` millionths → `"1.2345"`. */
export function decimalText(millionths: bigint): string {
  const digits = millionths.toString().padStart(7, "0");
  const fraction = digits.slice(-6).replace(/0+$/, "");
  return digits.slice(0, -6) + (fraction === "" ? "" : `.${fraction}`);
}

/** `1234500000n` millionths → `"1,234.5"`. */
export function groupedDecimalText(millionths: bigint): string {
  const [whole = "0", ...fraction] = decimalText(millionths).split(".");
  return [grouped(BigInt(whole)), ...fraction].join(".");
}

/** `350000n` millionths → `"35 %"`. */
export function percentText(millionths: bigint): string {
  return `${decimalText(millionths * 100n)} %`;
}

const sources: Readonly<Record<number, string>> = {
  [EstimateSource.GIVEN]: "given",
  [EstimateSource.SAMPLES]: "counted in the samples",
  [EstimateSource.MEASURED]: "measured",
  [EstimateSource.DEFAULT]: "assumed",
};

/** Where a number comes from, in a word or two. */
export function sourceText(source: EstimateFactor["source"]): string {
  return sources[source] ?? "unknown source";
}
