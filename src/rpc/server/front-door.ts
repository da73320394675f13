import { Code, ConnectError } from "@connectrpc/connect";
import type { Clock } from "../../core/clock.ts";
import type { Failure } from "../../core/failure.ts";
import { newCallId } from "../call/call-id.ts";
import { CALL_ID_HEADER } from "../call/call-setup.ts";
import type { RefusalLog } from "../call/refusal-log.ts";
import { toConnectError } from "../status.ts";
import { type HttpRequest, type HttpResponse, hostOf, peerOf, stopReadingWhenAnswered } from "./exchange.ts";
import type { HostCheck } from "./hosts.ts";
import type { OriginVerdict } from "./origins.ts";
import { type Refusal, writeRefusal } from "./refusal.ts";

/** Answers a request, or says that it is not its own. */
export type Answerer = (request: HttpRequest, response: HttpResponse) => boolean;

/** What every refusal needs: a clock for the call's id, and where it is told. */
export interface RefusalPorts {
  readonly clock: Clock;
  readonly refusals: RefusalLog;
}

export interface FrontDoorOptions extends RefusalPorts {
  readonly isKnownHost: HostCheck;
  readonly checkOrigin: (request: HttpRequest, response: HttpResponse) => OriginVerdict;
  /** Asked in this order. What nobody answers is unimplemented. */
  readonly answerers: readonly Answerer[];
}

const UNKNOWN_HOST: Failure = {
  reason: "PERMISSION_DENIED",
  hint: "the request names a host that the service does not answer to; add it to `hosts`",
};
const FOREIGN_ORIGIN: Failure = {
  reason: "PERMISSION_DENIED",
  hint: "the request comes from a page of another origin; add it to `cors`",
};

/** Where every request comes in: host, origin, then whoever answers its path. */
export function createFrontDoor(options: FrontDoorOptions): (request: HttpRequest, response: HttpResponse) => void {
  return (request, response) => {
    stopReadingWhenAnswered(request, response);
    if (!options.isKnownHost(hostOf(request) ?? "")) return refuse(options, request, response, UNKNOWN_HOST);
    const verdict = options.checkOrigin(request, response);
    if (verdict === "answered") return;
    if (verdict === "refuse") return refuse(options, request, response, FOREIGN_ORIGIN);
    if (!options.answerers.some((answer) => answer(request, response))) refuseUnknownPath(options, request, response);
  };
}

/** Refuses a request with one of the contract's failures. `rpc` is the method of the path, where it is one. */
export function refuse(
  { clock, refusals }: RefusalPorts,
  request: HttpRequest,
  response: HttpResponse,
  failure: Failure,
  { rpc, ...how }: Pick<Refusal, "status" | "inJson" | "headers"> & { readonly rpc?: string } = {},
): void {
  const id = newCallId(clock);
  refusals({ callId: id, reason: failure.reason, rpc, peer: peerOf(request) });
  const headers = { ...how.headers, [CALL_ID_HEADER]: id };
  writeRefusal(request, response, { ...how, headers, error: toConnectError(failure, id) });
}

/** gRPC maps a bare 404 to UNIMPLEMENTED too, but only in clients that look at it. */
function refuseUnknownPath({ clock, refusals }: RefusalPorts, request: HttpRequest, response: HttpResponse): void {
  const id = newCallId(clock);
  refusals({ callId: id, reason: "UNIMPLEMENTED", peer: peerOf(request) });
  const error = new ConnectError(
    "nothing here: this is Sluice, which serves gRPC, gRPC-Web and Connect; reflection lists its services",
    Code.Unimplemented,
  );
  writeRefusal(request, response, { error, status: 404, headers: { [CALL_ID_HEADER]: id } });
}
