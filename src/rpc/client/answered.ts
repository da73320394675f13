import { ConnectError } from "@connectrpc/connect";
import { ConnectionError, connectionFault } from "./connection-error.ts";
import { RemoteError, remoteFailure } from "./remote-error.ts";

/** The answer of a call, or else what failed: `ConnectionError` or `RemoteError`. */
export async function answered<T>(url: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw await translated(error, url);
  }
}

export async function translated(error: unknown, url: string, hasAnswered = false): Promise<unknown> {
  if (!(error instanceof ConnectError)) return error;
  const failure = remoteFailure(error);
  if (failure !== undefined) return new RemoteError(failure, { cause: error });
  return new ConnectionError(url, await connectionFault(url, error, hasAnswered), { cause: error });
}
