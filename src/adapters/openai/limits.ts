/** Characters of one answer. */
export const MAX_ANSWER_CHARS = 16 * 1024 * 1024;

/** Bytes of an answer that comes as one JSON document. */
export const MAX_JSON_BODY_BYTES = 16 * 1024 * 1024;

/** Bytes of a whole event stream. A chunk of one token takes 200 to 400 bytes, so this is far beyond any model's longest answer. */
export const MAX_STREAM_BODY_BYTES = 64 * 1024 * 1024;

/** Bytes of one event; a server that ignores the streaming sends its whole answer in one. */
export const MAX_EVENT_BYTES = 4 * 1024 * 1024;

/** Bytes of an error's body that are read; the rest is cut, since no provider says anything new after it. */
export const MAX_ERROR_BODY_BYTES = 64 * 1024;

/** Bytes of a response's header. */
export const MAX_HEADER_BYTES = 64 * 1024;

/** How long a connection may take to open. The attempt's own limits are usually shorter. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** How long an unused connection is kept, when the server does not say. Most providers close theirs after 60 s or more. */
export const KEEP_ALIVE_MS = 20_000;

/** What is read after a complete answer, and for how long, so that its connection can be used again. */
export const DRAIN_BYTES = 64 * 1024;
export const DRAIN_MS = 500;
