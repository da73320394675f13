import { ReplyError } from "ioredis";

/** Whether Redis answered with an error, `code` (its first word) where one is given. Such a Redis is there. */
export function isReplyError(error: unknown, code = ""): error is Error {
  return error instanceof Error && error instanceof ReplyError && error.message.startsWith(code);
}
