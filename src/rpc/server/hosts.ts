import { isIPv4 } from "node:net";

/** Says whether a request may name this host, with or without a port. */
export type HostCheck = (host: string) => boolean;

/** A name, an IPv4 address or a bracketed IPv6 address, and a port. */
const HOST = /^(\[[0-9a-f:.]+\]|[a-z0-9_.-]{1,253})(?::(\d{1,5}))?$/i;

const MAX_PORT = 65_535;

/** The parts of a `host` header; `undefined` where it is none. */
export function parseHost(host: string): { readonly name: string; readonly port: string | undefined } | undefined {
  const [, name, port] = HOST.exec(host) ?? [];
  if (Number(port ?? 0) > MAX_PORT) return undefined;
  return name === undefined ? undefined : { name: name.toLowerCase().replace(/\.$/, ""), port };
}

/**
 * Against DNS rebinding: a page of a foreign site, whose name suddenly points at 127.0.0.1, names that site as host. A
 * listener on loopback therefore answers only to loopback names and addresses, and to `hosts` (a name with a port
 * allows that port alone). Elsewhere every well-formed host is fine.
 */
export function createHostCheck(listensOn: string, hosts: readonly string[]): HostCheck {
  if (!isLoopback(listensOn)) return (host) => parseHost(host) !== undefined;
  const allowed = new Set(hosts.map((host) => host.toLowerCase()));
  return (host) => {
    const parsed = parseHost(host);
    return (
      parsed !== undefined && (isLoopback(parsed.name) || allowed.has(parsed.name) || allowed.has(host.toLowerCase()))
    );
  };
}

/** Whether a name or address, as in a URL or as an address of a socket, is this machine's own. */
export function isLoopback(name: string): boolean {
  const bare = name.toLowerCase().replace(/^\[|\]$/g, "");
  if (isIPv4(bare)) return bare.startsWith("127.");
  return bare === "localhost" || bare.endsWith(".localhost") || bare === "::1" || bare.startsWith("::ffff:127.");
}
