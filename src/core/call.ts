import type { Deadline } from "./deadline.ts";

/** Who calls: from the credential, never from the request's body. */
export interface Caller {
  readonly tenant: string;
  /** Id of the API key; empty where the service is open. */
  readonly keyId: string;
  /** Whether it may use AdminService, for all tenants. Where the service is open everybody may. */
  readonly isAdmin: boolean;
}

/** What every stage knows of the call it works for. */
export interface Call {
  /** UUID of version 7. */
  readonly id: string;
  readonly caller: Caller;
  /** "Complete", "StreamComplete" or "Explain". */
  readonly method: string;
  readonly deadline: Deadline;
  /** Aborted when the caller leaves or the deadline is over. */
  readonly signal: AbortSignal;
}
