import type { Message } from "@bufbuild/protobuf";
import type { Interceptor, StreamRequest, UnaryRequest } from "@connectrpc/connect";
import { AnswerMessages, ended } from "./answer-messages.ts";
import type { CallScope } from "./call-scope.ts";
import { receivedKey } from "./decode-failure.ts";

/**
 * Turns whatever a handler throws, before or in the middle of its answer, into the one error that the caller gets, and
 * ends the scope when the handler is done.
 */
export function reportFailures(scopeOf: (request: UnaryRequest | StreamRequest) => CallScope | undefined): Interceptor {
  return (next) => async (request) => {
    const scope = scopeOf(request);
    if (!scope) return next(request);
    const onDecoded = () => {
      scope.enter();
      request.contextValues.get(receivedKey)?.forget();
    };
    try {
      // A unary request was decoded before; of other requests the handler's side reads the messages.
      if (!request.stream) onDecoded();
      const response = await scope.bounded(
        next(request.stream ? { ...request, message: whole(request, onDecoded) } : request),
      );
      if (response.stream) return { ...response, message: new AnswerMessages(response.message, scope) };
      scope.leave();
      return response;
    } catch (error) {
      throw ended(error, scope);
    }
  };
}

/** The request's messages; `onDecoded` is called when the last was read. */
async function* whole(request: StreamRequest, onDecoded: () => void): AsyncGenerator<Message> {
  yield* request.message;
  onDecoded();
}
