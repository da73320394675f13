import { isLoopback, parseListenAddress } from "./listen-address.ts";
import { type Path, type Problem, problem, type Rule, valueAt } from "./problem.ts";
import type { ParsedConfig } from "./schema.ts";

/** The listener and who may use it. `raw` is the file as it was written, `config` what could be read of it. */
export function checkServer(raw: unknown, config: ParsedConfig): Problem[] {
  return [
    ...checkListen(raw, config),
    ...listed(raw, ["cors"], "format", originFault),
    ...listed(raw, ["hosts"], "format", hostFault),
    ...duplicates(raw, "id", "another key has this id"),
    ...duplicates(raw, "sha256", "another entry has this key"),
    ...checkDeadlines(config),
    ...checkUrls(raw, config),
  ];
}

function checkListen(raw: unknown, { listen, allow_open, tls }: ParsedConfig): Problem[] {
  const address = parseListenAddress(listen);
  if (address === undefined) {
    return [problem(["listen"], "format", "must be host:port, such as 127.0.0.1:8080 or [::1]:8080, port 0 to 65535")];
  }
  const keys = valueAt(raw, ["auth", "api_keys"]);
  const guarded = (Array.isArray(keys) && keys.length > 0) || tls?.client_ca !== undefined;
  if (isLoopback(address.host) || guarded || allow_open) return [];
  const message = "others can reach this address, and no key is asked for: add auth.api_keys, or say allow_open: true";
  return [problem(["listen"], "conflict", message)];
}

function checkDeadlines({ defaults, retry }: ParsedConfig): Problem[] {
  const found: Problem[] = [];
  if (defaults.deadline_ms > defaults.max_deadline_ms) {
    found.push(problem(["defaults", "deadline_ms"], "conflict", "must be at most defaults.max_deadline_ms"));
  }
  if (retry.backoff_base_ms > retry.backoff_max_ms) {
    found.push(problem(["retry", "backoff_base_ms"], "conflict", "must be at most retry.backoff_max_ms"));
  }
  return found;
}

function checkUrls(raw: unknown, config: ParsedConfig): Problem[] {
  const providers = valueAt(raw, ["providers"]);
  const ids = typeof providers === "object" && providers !== null ? Object.keys(providers) : [];
  const found = ids.flatMap((id) => {
    const path = ["providers", id, "base_url"];
    const url = valueAt(raw, path);
    const fault = typeof url === "string" && url !== "" ? baseUrlFault(url) : undefined;
    return fault === undefined ? [] : [problem(path, "format", fault)];
  });
  if (config.database_url !== undefined && !/^postgres(?:ql)?:\/\//.test(config.database_url)) {
    found.push(problem(["database_url"], "format", "must begin with postgres:// or postgresql://"));
  }
  if (config.redis_url !== undefined && !isUrl(config.redis_url, ["redis:", "rediss:"])) {
    found.push(problem(["redis_url"], "format", "must be a URL that begins with redis:// or rediss://"));
  }
  return found;
}

function baseUrlFault(text: string): string | undefined {
  if (!isUrl(text, ["http:", "https:"])) return "must be a URL that begins with http:// or https://";
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return "must not hold a user or a password; use api_key or headers";
  if (url.search !== "" || url.hash !== "") return "must not hold ? or #; use query";
  return undefined;
}

function originFault(text: string): string | undefined {
  if (text === "*") return "every origin is more than a service that spends money can allow; name each one";
  if (!isUrl(text, ["http:", "https:"])) return "must be an origin, such as https://app.example.com";
  const { origin } = new URL(text);
  return origin === text ? undefined : `must be written as browsers send it, without user, path or slash: ${origin}`;
}

function hostFault(text: string): string | undefined {
  const wellFormed = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::\d{1,5})?$/.test(text);
  return wellFormed ? undefined : "must be a host name with or without a port, such as sluice.example.com:8443";
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  return URL.canParse(text) && protocols.includes(new URL(text).protocol);
}

function listed(raw: unknown, path: Path, rule: Rule, fault: (text: string) => string | undefined): Problem[] {
  const list = valueAt(raw, path);
  if (!Array.isArray(list)) return [];
  return list.flatMap((item, index) => {
    const message = typeof item === "string" && item !== "" ? fault(item) : undefined;
    return message === undefined ? [] : [problem([...path, index], rule, message)];
  });
}

function duplicates(raw: unknown, field: "id" | "sha256", message: string): Problem[] {
  const keys = valueAt(raw, ["auth", "api_keys"]);
  if (!Array.isArray(keys)) return [];
  const seen = new Set<string>();
  return keys.flatMap((_, index) => {
    const path = ["auth", "api_keys", index, field];
    const value = valueAt(raw, path);
    if (typeof value !== "string") return [];
    const again = seen.has(value);
    seen.add(value);
    return again ? [problem(path, "duplicate", message)] : [];
  });
}
