import { Code, ConnectError, createContextKey, type HandlerContext, type Interceptor } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { ErrorInfoSchema } from "../../../gen/google/rpc/error_details_pb.ts";
import { Stage } from "../../../gen/sluice/v1/error_detail_pb.ts";
import type { Call } from "../../core/call.ts";
import type { Clock } from "../../core/clock.ts";
import { failureOf, SluiceError } from "../../core/failure.ts";
import type { Log } from "../../core/log.ts";
import type { Authenticator, HeaderReader } from "../auth.ts";
import { newCallId } from "./call-id.ts";
import { CallScope } from "./call-scope.ts";
import { explainDecodeFailure } from "./decode-failure.ts";
import { createRefusalLog, type RefusalLog } from "./refusal-log.ts";
import { reportFailures } from "./report-failures.ts";
import { requestedTimeoutMs } from "./timeout.ts";

/** Every response carries it, errors too. */
export const CALL_ID_HEADER = "sluice-call-id";

/** Where the scope of a request lies in its context values. */
export const scopeKey = createContextKey<CallScope | undefined>(undefined, { description: "scope of the call" });

/** Set by a server that knows the address of its peer. */
export const peerKey = createContextKey<string | undefined>(undefined, { description: "address of the peer" });

export interface CallSetupOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly authenticator: Authenticator;
  /** Timeout of a call whose caller asks for none, in milliseconds. */
  readonly deadlineMs: number;
  /** Longest timeout, in milliseconds; a longer one is cut to it. */
  readonly maxDeadlineMs: number;
  /** Most calls in flight. One more fails with OVERLOADED. */
  readonly maxCalls: number;
}

/** A request whose headers are there and whose body is not read yet. */
export interface RequestStart extends Pick<HandlerContext, "service" | "method"> {
  readonly header: HeaderReader;
  /** Address of the peer, where it is known. */
  readonly peer: string | undefined;
}

/** Sets calls up: for a router by its gate and its interceptors, for a transport of our own step by step. */
export interface CallSetup {
  /** Runs when the headers are there and before the body is read, so that refused bodies never are. See `callOf`. */
  readonly requestGate: (context: HandlerContext) => void;
  readonly interceptors: Interceptor[];
  /** Gives a request its id. The steps of the gate: this one, `admit`, and `end` when the transport is done with it. */
  readonly begin: (request: Pick<RequestStart, "service" | "method">) => CallScope;
  /** @throws ConnectError for a request that is refused: then it is over, and `end` is not for it. */
  readonly admit: (scope: CallScope, request: RequestStart) => void;
  /** @param reason the error that ended it, which is changed in place where ours says more; undefined where there is none. */
  readonly end: (scope: CallScope, context: HandlerContext, reason: unknown) => void;
  /** Where requests are told that no handler sees; one for all of them, since it bounds its lines. */
  readonly refusals: RefusalLog;
  /** Calls in flight now. */
  readonly inFlight: () => number;
}

/** Services for operators and tools: no key, no deadline, and not counted as calls. */
const OPERATIONAL = /^grpc\.(?:health|reflection)\./;

/** How long a caller is asked to wait where too many calls are in flight. */
const OVERLOADED_WAIT_MS = 1000;

/** Sets calls up: id, caller, deadline, signal, admission, and errors that say what happened. */
export function createCallSetup(options: CallSetupOptions): CallSetup {
  let inFlight = 0;
  const refusals = createRefusalLog(options.log);

  function open(scope: CallScope, { service, method, header }: RequestStart): void {
    const isCall = !OPERATIONAL.test(service.typeName);
    const caller = isCall ? options.authenticator.authenticate(header) : undefined;
    const asked = requestedTimeoutMs(header) ?? options.deadlineMs;
    if (asked <= 0) throw interrupted("DEADLINE_EXCEEDED");
    if (!caller) return;
    const timeoutMs = Math.min(asked, options.maxDeadlineMs);
    if (inFlight >= options.maxCalls) throw overloaded(options.maxCalls);
    inFlight += 1;
    scope.open(caller, method.name, timeoutMs, () => {
      inFlight -= 1;
    });
  }

  const refuse = (scope: CallScope, reason: string | undefined, peer: string | undefined) => {
    if (reason !== undefined) refusals({ callId: scope.id, reason, rpc: scope.path, peer });
  };

  const setup: Omit<CallSetup, "requestGate"> = {
    inFlight: () => inFlight,
    refusals,
    interceptors: [reportFailures(({ contextValues }) => contextValues.get(scopeKey))],
    begin({ service, method }) {
      const path = `${service.typeName}/${method.name}`;
      return new CallScope({ id: newCallId(options.clock), path, clock: options.clock, log: options.log });
    },
    admit(scope, request) {
      try {
        open(scope, request);
      } catch (error) {
        scope.leave();
        refuse(scope, failureOf(error).reason, request.peer);
        throw scope.issue(error);
      }
    },
    end(scope, context, reason) {
      explainDecodeFailure(reason, scope, context);
      if (scope.phase === "decoding") refuse(scope, reasonOfRefusal(reason), context.values.get(peerKey));
      scope.transportEnded();
    },
  };
  return { ...setup, requestGate: (context) => passGate(setup, context) };
}

function passGate(setup: Omit<CallSetup, "requestGate">, context: HandlerContext): void {
  const { service, method, requestHeader: header, values, signal } = context;
  const scope = setup.begin(context);
  context.responseHeader.set(CALL_ID_HEADER, scope.id);
  values.set(scopeKey, scope);
  setup.admit(scope, { service, method, header, peer: values.get(peerKey) });
  const onEnd = () => setup.end(scope, context, signal.reason);
  if (signal.aborted) {
    onEnd();
    throw scope.issue(interrupted("CANCELLED"));
  }
  signal.addEventListener("abort", onEnd, { once: true });
}

/** The call that a handler works for. Only for services that callers need a key for. */
export function callOf(context: HandlerContext): Call {
  const call = context.values.get(scopeKey)?.call;
  if (!call) throw new Error(`${context.service.typeName} is served without its call set-up`);
  return call;
}

/** Why a request ended before its handler began; undefined where its caller left. */
function reasonOfRefusal(error: unknown): string | undefined {
  if (!(error instanceof ConnectError) || error.code === Code.Canceled || error.code === Code.Aborted) return undefined;
  const [info] = error.findDetails(ErrorInfoSchema);
  return info?.reason ?? codeToString(error.code).toUpperCase();
}

function overloaded(limit: number): SluiceError {
  return new SluiceError({ reason: "OVERLOADED", resource: "calls", limit, retryAfterMs: OVERLOADED_WAIT_MS });
}

function interrupted(reason: "DEADLINE_EXCEEDED" | "CANCELLED"): SluiceError {
  return new SluiceError({ reason, stage: Stage.UNSPECIFIED, attempts: [] });
}
