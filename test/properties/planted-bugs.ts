/** One line of the product, changed so that it is wrong. */
export interface PlantedBug {
  readonly what: string;
  readonly file: string;
  /** Must stand in the file exactly once. */
  readonly from: string;
  readonly to: string;
}

/** What a tired person could write. Each must be caught by a property. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    what: "the pause before a retry is skipped",
    file: "src/pipeline/call-model/turn.ts",
    from: "if (leg.wait && !told) yield* pause",
    to: "if (leg.wait && told) yield* pause",
  },
  {
    what: "a told wait is jittered downward",
    file: "src/pipeline/call-model/next-step.ts",
    from: "return waitMs + random * Math.min(waitMs / 20, 1000);",
    to: "return waitMs - random * Math.min(waitMs / 20, 1000);",
  },
  {
    what: "a told wait is shared at half its length",
    file: "src/pipeline/model-gates/cool-down.ts",
    from: "closedUntilMs = nowMs + Math.min(waitMs, MAX_COOL_DOWN_MS);",
    to: "closedUntilMs = nowMs + Math.min(waitMs, MAX_COOL_DOWN_MS) / 2;",
  },
  {
    what: "a told wait is not shared",
    file: "src/pipeline/model-gates/cool-down.ts",
    from: "return isShared && waitMs !== undefined",
    to: "return !isShared && waitMs !== undefined",
  },
  {
    what: "the deadline is ignored when a wait is chosen",
    file: "src/pipeline/call-model/next-step.ts",
    from: "const fits = waitMs < remainingMs && ",
    to: "const fits = ",
  },
  {
    what: "one attempt more than the budget",
    file: "src/pipeline/call-model/route.ts",
    from: "return this.#ports.retry.maxAttempts - charges.startedForAnswer;",
    to: "return this.#ports.retry.maxAttempts - charges.startedForAnswer + 1;",
  },
  {
    what: "corrections without a budget",
    file: "src/pipeline/call-model/route.ts",
    from: "correctionsLeft: this.#ports.retry.maxCorrections - this.#corrections,",
    to: "correctionsLeft: 1,",
  },
  {
    what: "a wrong key is retried",
    file: "src/pipeline/call-model/next-step.ts",
    from: 'auth_invalid: "next_model",',
    to: 'auth_invalid: "wait_or_next",',
  },
  {
    what: "what a filter stops is carried to the next model",
    file: "src/pipeline/call-model/next-step.ts",
    from: 'content_filtered_input: "give_up",',
    to: 'content_filtered_input: "next_model",',
  },
  {
    what: "an overload ends the call",
    file: "src/pipeline/call-model/next-step.ts",
    from: 'overloaded: "wait_or_next",',
    to: 'overloaded: "next_model",',
  },
  {
    what: "an attempt is charged twice",
    file: "src/pipeline/call-model/attempt.ts",
    from: "    this.#ended = true;\n",
    to: "",
  },
  {
    what: "an abandoned attempt is charged nothing",
    file: "src/pipeline/call-model/attempt.ts",
    from: "await this.#end({ tokens: this.#estimate(), estimated: true, httpStatus: 0, failure });",
    to: "await this.#end({ tokens: NO_TOKENS, estimated: true, httpStatus: 0, failure });",
  },
  {
    what: "an abandoned attempt is never ended",
    file: "src/pipeline/call-model/attempt.ts",
    from: "await this.#end({ tokens: this.#estimate(), estimated: true, httpStatus: 0, failure });",
    to: "if (failure === undefined) throw new Error(failure);",
  },
  {
    what: "an attempt is sent before its start is recorded",
    file: "src/pipeline/charge.ts",
    from: "await this.#ports.ledger.record(record);",
    to: "void this.#ports.ledger.record(record);",
  },
  {
    what: "the usage is that of the last attempt",
    file: "src/pipeline/completion.ts",
    from: "usage: charged.usage,",
    to: "usage: charged.attempts.at(-1)?.usage,",
  },
  {
    what: "an answer from the cache costs what it did",
    file: "src/pipeline/completion.ts",
    from: "    costNanoUsd: charged ? charged.costNanoUsd : 0n,\n",
    to: "",
  },
  {
    what: "the model that answered is not named",
    file: "src/pipeline/completion.ts",
    from: "model: target.alias,",
    to: "model: context.target.alias,",
  },
  {
    what: "work goes on when every caller has left",
    file: "src/pipeline/flight.ts",
    from: "this.#abort.abort(new NobodyWaitsError());",
    to: "",
  },
  {
    what: "a flight that has ended can still be joined",
    file: "src/pipeline/flight.ts",
    from: "    this.#onClosed();\n    this.#wake();\n    this.#ended.resolve();",
    to: "    this.#wake();\n    this.#ended.resolve();",
  },
  {
    what: "who joins late misses what was sent before",
    file: "src/pipeline/flight.ts",
    from: "for (let next = 0; ;",
    to: "for (let next = this.#sent.length; ;",
  },
  {
    what: "an identical call under way is not joined",
    file: "src/pipeline/complete.ts",
    from: "if (underWay) return { flight: underWay, pays: false };",
    to: "",
  },
  {
    what: "an answer without its end is taken for whole",
    file: "src/pipeline/call-model/attempt.ts",
    from: 'throw new UpstreamError({ kind: "stream_interrupted", httpStatus: 0 });',
    to: 'return await judged({ kind: "end", finish: "stop" }, meter, leg, plan);',
  },
  {
    what: "an answer to a part of the prompt is taken",
    file: "src/pipeline/call-model/unread-prompt.ts",
    from: "if (!usage || target.synthetic) return undefined;",
    to: "if (usage || target.synthetic) return undefined;",
  },
  {
    what: "checks are not looked at",
    file: "src/pipeline/judge.ts",
    from: "if (broken.length === 0) return",
    to: "if (broken.length < 99) return",
  },
  {
    what: "a fallback's answer is stored",
    file: "src/pipeline/call-model/route.ts",
    from: "if (!this.#chain.isAtHead) return false;",
    to: "",
  },
  {
    what: "a truncated answer is stored",
    file: "src/pipeline/answer.ts",
    from: 'isGood: answer.finish === "stop" && answer.isAsAsked,',
    to: "isGood: answer.isAsAsked,",
  },
  {
    what: "the tenant is no part of the key",
    file: "src/pipeline/cache-key.ts",
    from: "    tenant,\n    ...targetParts",
    to: "    ...targetParts",
  },
  {
    what: "a good answer is not stored",
    file: "src/pipeline/answer.ts",
    from: "event.isGood && policy.mayWrite",
    to: "event.isGood && !policy.mayWrite",
  },
  {
    what: "a restart is not sent",
    file: "src/pipeline/answer.ts",
    from: "if (restart) yield restart;\n      restart = undefined;",
    to: "restart = undefined;",
  },
  {
    what: "white space is lost where chunks meet",
    file: "src/pipeline/answer.ts",
    from: "const all = isFirst ? text.trimStart() : held + text;",
    to: "const all = isFirst ? text.trimStart() : text;",
  },
  {
    what: "sequence numbers have gaps",
    file: "src/pipeline/stream.ts",
    from: 'if (piece.kind === "delta") sequence += 1n;',
    to: "sequence += 1n;",
  },
  {
    what: "a slot is never freed",
    file: "src/pipeline/model-gates/gate.ts",
    from: "        else slot.free();\n      },",
    to: "      },",
  },
  {
    what: "one request more than the limit",
    file: "src/pipeline/model-gates/slots.ts",
    from: "< this.#limits.maxConcurrency",
    to: "<= this.#limits.maxConcurrency",
  },
  {
    what: "a reader who stops has no row",
    file: "src/pipeline/complete.ts",
    from: "await report.abandoned();",
    to: "",
  },
  {
    what: "the told wait is not the true one",
    file: "src/pipeline/call-model/failure.ts",
    from: 'retryAfterMs: reason === "RATE_LIMITED" ? error.waitMs : undefined,',
    to: 'retryAfterMs: reason === "RATE_LIMITED" ? (error.waitMs ?? 0) * 2 : undefined,',
  },
  {
    what: "the prompt is in the log",
    file: "src/pipeline/report.ts",
    from: 'this.#ports.log.info("llm_call", fields);',
    to: 'this.#ports.log.info("llm_call", { ...fields, messages: this.asked?.context.fitted.messages });',
  },
  {
    what: "a failure of a port is swallowed",
    file: "src/pipeline/flight.ts",
    from: "this.#finish({ error: error ??",
    to: "this.#finish({ error: undefined ??",
  },
  {
    what: "what a chunk ends with is lost",
    file: "src/adapters/openai/answer/sse.ts",
    from: "if (start < bytes.length) this.#keep(bytes.subarray(start));",
    to: "if (start + 1 < bytes.length) this.#keep(bytes.subarray(start));",
  },
  {
    what: "a line end that two chunks share counts twice",
    file: "src/adapters/openai/answer/sse.ts",
    from: "this.#afterCr = byte === CR;",
    to: "this.#afterCr = byte === CR && i + 1 < bytes.length;",
  },
];
