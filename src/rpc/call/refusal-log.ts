import type { Log } from "../../core/log.ts";

/** A request that was answered with an error before its handler ran. Nothing in it is text of the caller's. */
export interface RefusedRequest {
  readonly callId: string;
  /** The reason of the contract, or the code in capitals where the transport refused. */
  readonly reason: string;
  /** `package.Service/Method`, where the path is one. */
  readonly rpc?: string | undefined;
  /** Address of the peer, where it is known. */
  readonly peer?: string | undefined;
}

export type RefusalLog = (refused: RefusedRequest) => void;

/** Refusals cost a caller nothing, so a flood of them must not fill the disk. */
const MAX_LINES_PER_WINDOW = 100;
const WINDOW_MS = 1_000;

/** Logs `call_refused`, at most 100 lines a second; how many more there were comes as `calls_refused_unlogged` after it. */
export function createRefusalLog(log: Log): RefusalLog {
  let windowEndMs = 0;
  let lines = 0;
  let unlogged = 0;
  const tellUnlogged = () => {
    log.info("calls_refused_unlogged", { count: unlogged });
    unlogged = 0;
  };
  return ({ callId, reason, rpc, peer }) => {
    const nowMs = performance.now();
    if (nowMs >= windowEndMs) {
      windowEndMs = nowMs + WINDOW_MS;
      lines = 0;
    }
    lines += 1;
    if (lines > MAX_LINES_PER_WINDOW) {
      if (unlogged === 0) setTimeout(tellUnlogged, windowEndMs - nowMs).unref();
      unlogged += 1;
      return;
    }
    log.info("call_refused", {
      call_id: callId,
      reason,
      ...(rpc === undefined ? {} : { rpc }),
      ...(peer === undefined ? {} : { peer }),
    });
  };
}
