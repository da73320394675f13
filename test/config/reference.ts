import { type ConfigKey, configKeys } from "../../src/config/keys.ts";

const BEGIN = "<!-- keys: begin -->";
const END = "<!-- keys: end -->";

/** The document with its table of keys made anew from the schema. */
export function withKeyTable(document: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`the document must hold ${BEGIN} and ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${keyTable()}\n${document.slice(end)}`;
}

function keyTable(): string {
  const rows = configKeys.filter(({ path }) => !path.endsWith(".*")).map(rowOf);
  return `${["| key | value | default | meaning |", "|---|---|---|---|", ...rows].join("\n")}\n`;
}

function rowOf(key: ConfigKey): string {
  const path = key.path
    .replace("providers.*", "providers.<id>")
    .replace("models.*", "models.<alias>")
    .replace(/\.\*/g, "[]");
  return `| \`${path}\` | ${valueText(key)} | ${defaultText(key)} | ${key.description}${marks(key)} |`;
}

function valueText({ type, unit, path }: ConfigKey): string {
  const named = /_(ms|bytes|mb|seconds|tokens)$/.exec(path)?.[1];
  const units: Record<string, string> = { ms: "ms", bytes: "bytes", mb: "MiB", seconds: "s", tokens: "tokens" };
  const measure = unit ?? (named === undefined ? undefined : units[named]);
  return measure === undefined || type === "mapping" ? type : `${type}, ${measure}`;
}

function defaultText({ defaultText: text, type }: ConfigKey): string {
  if (text === undefined) return type === "mapping" ? "" : "required";
  return /^(?:"|\[|\{|-?\d|true|false)/.test(text) && !text.includes(", ") ? `\`${text}\`` : text;
}

function marks({ env, secret, path }: ConfigKey): string {
  const reference = env || path.endsWith(".headers") ? ` \`\${…}\`` : "";
  return `${reference}${secret ? " Secret." : ""}`;
}
