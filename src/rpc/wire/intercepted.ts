import type { Message } from "@bufbuild/protobuf";
import type { HandlerContext, Interceptor, MethodImplSpec } from "@connectrpc/connect";
import {
  createAsyncIterable,
  invokeUnaryImplementation,
  transformInvokeImplementation,
} from "@connectrpc/connect/protocol";

/** The implementation with interceptors around it, which run as the library runs them. */
export function withInterceptors(spec: MethodImplSpec, interceptors: readonly Interceptor[]): MethodImplSpec {
  if (interceptors.length === 0) return spec;
  const chain = [...interceptors];
  const { kind } = spec;
  switch (kind) {
    case "unary":
      return {
        ...spec,
        impl: (message: Message, context: HandlerContext) =>
          invokeUnaryImplementation(spec, plain(context), message, chain),
      };
    case "server_streaming":
      return {
        ...spec,
        impl: (message: Message, context: HandlerContext) =>
          transformInvokeImplementation(spec, plain(context), chain)(createAsyncIterable([message])),
      };
    case "client_streaming":
      return {
        ...spec,
        async impl(messages: AsyncIterable<Message>, context: HandlerContext) {
          for await (const answer of transformInvokeImplementation(spec, plain(context), chain)(messages))
            return answer;
          throw new Error(`an interceptor of ${spec.method.name} dropped its answer`);
        },
      };
    case "bidi_streaming":
      return {
        ...spec,
        impl: (messages: AsyncIterable<Message>, context: HandlerContext) =>
          transformInvokeImplementation(spec, plain(context), chain)(messages),
      };
  }
}

/** The library copies contexts property by property, which leaves getters out. */
function plain(context: HandlerContext): HandlerContext {
  return {
    service: context.service,
    method: context.method,
    signal: context.signal,
    timeoutMs: context.timeoutMs,
    requestMethod: context.requestMethod,
    requestHeader: context.requestHeader,
    responseHeader: context.responseHeader,
    responseTrailer: context.responseTrailer,
    protocolName: context.protocolName,
    values: context.values,
    url: context.url,
  };
}
