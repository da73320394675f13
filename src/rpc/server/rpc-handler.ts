import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ContextValues,
  createConnectRouter,
  createContextValues,
  createServiceImplSpec,
  type Interceptor,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { type Failure, invalidRequest } from "../../core/failure.ts";
import type { Log } from "../../core/log.ts";
import { type CallSetup, peerKey, scopeKey } from "../call/call-setup.ts";
import { receivedKey } from "../call/decode-failure.ts";
import { capTimerHeaders } from "../call/timeout.ts";
import { type HttpRequest, type HttpResponse, outletOf, pathOf, peerOf } from "./exchange.ts";
import { withReadableMessage } from "./grpc-message.ts";
import type { ServerLimits } from "./limits.ts";
import { paced } from "./paced-body.ts";
import { ReaderWatch } from "./reader-watch.ts";
import { RequestBody } from "./request-body.ts";
import { binaryOptions, jsonOptions, jsonOptionsOf } from "./serialization.ts";

export interface RpcHandlerOptions {
  readonly calls: CallSetup;
  readonly routes: (router: ConnectRouter) => void;
  /** Run inside the call, in this order. */
  readonly interceptors: readonly Interceptor[];
  readonly limits: ServerLimits;
  readonly log: Log;
  /** Answers what the router refuses without saying why, such as a wrong content type. */
  readonly refuse: (request: HttpRequest, response: HttpResponse, refused: RefusedByRouter) => void;
}

interface RefusedByRouter {
  /** `package.Service/Method`. */
  readonly rpc: string;
  /** Of HTTP. */
  readonly status: number;
  readonly failure: Failure;
}

/** Serves the services of the router over connect-node. The handler returned says whether the path is one of theirs. */
export function createRpcHandler(
  options: RpcHandlerOptions,
): (request: HttpRequest, response: HttpResponse) => boolean {
  const { limits } = options;
  const router = createConnectRouter({
    requestGate: options.calls.requestGate,
    interceptors: [...options.calls.interceptors, ...options.interceptors],
    readMaxBytes: limits.messageBytes,
    writeMaxBytes: limits.responseBytes,
    compressMinBytes: limits.compressMinBytes,
    acceptCompression: [compressionGzip],
    jsonOptions,
    binaryOptions,
  });
  options.routes(checkingTimes(router));
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request, response) => {
    const handler = handlers.get(pathOf(request));
    if (!handler) return false;
    serve(handler, request, response, options).catch((error: unknown) => {
      // The caller is gone, or went while it was answered: the handler has been told by its signal.
      options.log.debug("response_not_written", { rpc: handler.requestPath, error });
      response.destroy();
    });
    return true;
  };
}

/** The router, which reads the requests of each method as `jsonOptionsOf` says. */
function checkingTimes(router: ConnectRouter): ConnectRouter {
  const checking: ConnectRouter = {
    handlers: router.handlers,
    service(service, implementation, options) {
      const { methods } = createServiceImplSpec(service, implementation);
      for (const { method, impl } of Object.values(methods)) checking.rpc(method, impl, options);
      return checking;
    },
    rpc(method, implementation, options) {
      const timed = jsonOptionsOf(method.input);
      router.rpc(method, implementation, timed === jsonOptions ? options : { jsonOptions: timed, ...options });
      return checking;
    },
  };
  return checking;
}

async function serve(
  handler: UniversalHandler,
  request: HttpRequest,
  response: HttpResponse,
  options: RpcHandlerOptions,
): Promise<void> {
  const values = createContextValues().set(peerKey, peerOf(request));
  const universal = universalRequestFromNodeRequest(request, response, undefined, values);
  capTimerHeaders(universal.header);
  const body = bodyOf(universal, handler, options.limits, values);
  values.set(receivedKey, body);
  const answer = await handler({ ...universal, body });
  // Known to come without a body: method not allowed, unsupported media type, HTTP version not supported.
  if (answer.body === undefined && answer.status !== 200) {
    const rpc = `${handler.service.typeName}/${handler.method.name}`;
    options.refuse(request, response, { rpc, status: answer.status, failure: httpFailure(answer.status, handler) });
    return;
  }
  const written = withReadableMessage(answer);
  await universalResponseToNodeResponse(
    written.body ? { ...written, body: paced(written.body, watchReader(request, response, values, options)) } : written,
    response,
  );
}

/** A reader that stalls ends its call, and when it stalls on, its answer. */
function watchReader(
  request: HttpRequest,
  response: HttpResponse,
  values: ContextValues,
  { limits, log }: RpcHandlerOptions,
): ReaderWatch {
  const scope = values.get(scopeKey);
  return new ReaderWatch(outletOf(request, response), limits.slowReaderMs, {
    onStall: () => scope?.readerStalled(limits.slowReaderMs),
    onCut: () => log.info("response_cut", { call_id: scope?.id, limit_ms: limits.slowReaderMs }),
  });
}

function bodyOf(
  { header, body }: UniversalServerRequest,
  { method }: UniversalHandler,
  limits: ServerLimits,
  values: ContextValues,
): RequestBody {
  if (typeof body !== "object" || body === null || !(Symbol.asyncIterator in body)) {
    throw new ConnectError("the request has no body to read", Code.Internal);
  }
  const hasOneMessage = method.methodKind === "unary" || method.methodKind === "server_streaming";
  return new RequestBody(body, values, {
    timeoutMs: hasOneMessage ? limits.requestTimeoutMs : undefined,
    keeps: hasOneMessage ? keptOf(header) : "nothing",
  });
}

/** JSON is what people type, so faults in it are told with the field's name; that takes the bytes. */
function keptOf(header: Headers): "message" | "enveloped message" | "nothing" {
  const contentType = header.get("content-type") ?? "";
  if (/^application\/[a-z-]+\+json\b/i.test(contentType)) return "enveloped message";
  const isPlain = (header.get("content-encoding") ?? "identity") === "identity";
  return /^application\/json\b/i.test(contentType) && isPlain ? "message" : "nothing";
}

function httpFailure(status: number, { method }: UniversalHandler): Failure {
  if (status === 415) {
    // Connect has content types of its own for streams; those of unary calls are not taken for them.
    const connect = method.methodKind === "unary" ? "application/" : "application/connect+";
    const description = `must be ${connect}json, ${connect}proto, application/grpc… or application/grpc-web…`;
    return invalidRequest("content-type", "content_type", description).failure;
  }
  if (status === 405) return invalidRequest("", "method", "must be a POST request").failure;
  return invalidRequest("", "http_version", "streams of requests need HTTP/2").failure;
}
