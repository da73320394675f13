import { connect } from "node:tls";
import { Code, type ConnectError } from "@connectrpc/connect";

/** Why there was no answer of a Sluice. */
export type ConnectionFault =
  /** Nothing answers at the address. */
  | "unreachable"
  /** The connection broke before the answer was whole. */
  | "broken"
  /** The address says https, and the server speaks cleartext. */
  | "server_is_cleartext"
  /** The address says http, and the server speaks TLS. */
  | "server_has_tls"
  /** The server's certificate is not one that this machine trusts, or is for another name. */
  | "untrusted_certificate"
  /** The request is larger than the server takes: it was refused before it was read. */
  | "message_too_large"
  /** Something answers, and it is no Sluice. */
  | "no_sluice";

/** A call that did not get an answer of a Sluice, not even a failure. */
export class ConnectionError extends Error {
  readonly url: string;
  readonly fault: ConnectionFault;

  constructor(url: string, fault: ConnectionFault, options: { readonly cause: ConnectError }) {
    super(options.cause.rawMessage, options);
    this.name = "ConnectionError";
    this.url = url;
    this.fault = fault;
  }
}

const UNREACHABLE = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)$/;
const BROKEN = /^(?:ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/;
/** X.509 verification errors as Node names them (doc/api/tls.md, "X509 certificate error codes"). */
const UNTRUSTED = /CERT|CRL|^UNABLE_TO_|^INVALID_PURPOSE$|^HOSTNAME_MISMATCH$|^PATH_LENGTH_EXCEEDED$/;

/**
 * Finds out what is wrong with a connection from the error of a call that no Sluice answered.
 * @param hasAnswered whether a part of the answer came before.
 */
export async function connectionFault(
  url: string,
  error: ConnectError,
  hasAnswered: boolean,
): Promise<ConnectionFault> {
  const code = systemCode(error);
  if (UNREACHABLE.test(code)) return "unreachable";
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) return "server_is_cleartext";
  if (code.startsWith("HPE_") || BROKEN.test(code)) {
    // A server with TLS only hangs up on cleartext, as a server that ends does: asking it is the way to tell.
    if (!hasAnswered && new URL(url).protocol === "http:" && (await speaksTls(new URL(url)))) return "server_has_tls";
    return BROKEN.test(code) ? "broken" : "no_sluice";
  }
  if (UNTRUSTED.test(code)) return "untrusted_certificate";
  if (error.code === Code.ResourceExhausted) return "message_too_large";
  // What connect-es says of a stream that ends without the message that must end it.
  return hasAnswered || error.rawMessage.includes("missing EndStreamResponse") ? "broken" : "no_sluice";
}

/** The innermost error code of Node in a chain of causes; empty where there is none. */
function systemCode(error: Error): string {
  let found = "";
  let next: unknown = error;
  for (let depth = 0; next instanceof Error && depth < 8; depth += 1) {
    if ("code" in next && typeof next.code === "string") found = next.code;
    next = next.cause;
  }
  return found;
}

const PROBE_TIMEOUT_MS = 2_000;

/** Whether a TLS handshake succeeds. Nothing is sent over the connection, so the certificate does not matter. */
function speaksTls({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const host = hostname.replace(/^\[|\]$/g, "");
    const socket = connect({ host, port: Number(port || 80), rejectUnauthorized: false, timeout: PROBE_TIMEOUT_MS });
    const done = (speaks: boolean) => {
      socket.destroy();
      resolve(speaks);
    };
    socket.once("secureConnect", () => done(true));
    socket.once("timeout", () => done(false));
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
