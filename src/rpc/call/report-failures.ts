import type { Message } from "@bufbuild/protobuf";
import {
  ConnectError,
  type Interceptor,
  type StreamRequest,
  type StreamResponse,
  type UnaryRequest,
} from "@connectrpc/connect";
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
      if (response.stream) return { ...response, message: messages(response, scope) };
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

/** The answer's messages. Leaving early, which is what the transport does when the caller is gone, ends the handler too. */
async function* messages(response: StreamResponse, scope: CallScope): AsyncGenerator<Message> {
  const source = response.message[Symbol.asyncIterator]();
  let hasEnded = false;
  let hasFailed = false;
  let isReaderBusy = false;
  let lastWord: Promise<IteratorResult<Message>> | undefined;
  scope.concludeWith(() => {
    if (!isReaderBusy) return;
    lastWord = lastWordOf(source, scope);
    // Told when the reader comes back, if it does.
    lastWord.catch(() => {});
  });
  // Not awaited: a handler that hangs must not keep the stream from ending.
  scope.abandonWith(() => {
    if (!hasEnded) source.return?.().then(undefined, () => {});
  });
  try {
    for (;;) {
      const step = await (lastWord ?? scope.bounded(source.next()));
      hasEnded = step.done === true;
      if (step.done) return;
      isReaderBusy = true;
      yield step.value;
      isReaderBusy = false;
    }
  } catch (error) {
    hasFailed = true;
    throw ended(error, scope);
  } finally {
    if (!hasFailed) scope.leave();
  }
}

/**
 * Ends a call that was interrupted while its reader had a message, without waiting for the reader. A stream whose last
 * message that was has ended well; any other one ends with the handler's own error or with what interrupted it.
 */
async function lastWordOf(source: AsyncIterator<Message>, scope: CallScope): Promise<IteratorResult<Message>> {
  try {
    const step = await scope.bounded(source.next());
    if (!step.done) throw scope.signal.reason;
    scope.leave();
    return step;
  } catch (error) {
    throw ended(error, scope);
  }
}

/**
 * Ends the scope with an error. The transport's own errors, such as a second message, say enough; everything else is
 * told by its failure. A request that does not decode never reached the handler: the transport's end explains that.
 */
function ended(error: unknown, scope: CallScope): ConnectError {
  if (error instanceof ConnectError && scope.phase === "decoding") return error;
  scope.leave();
  return error instanceof ConnectError ? error : scope.issue(error);
}
