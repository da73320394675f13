import type OpenAI from "openai";
import { type ModelEvent, UpstreamError, type UpstreamErrorFields } from "../../../core/model.ts";
import type { TokenCounts } from "../../../core/money.ts";
import { isErrorEnvelope } from "../errors/error-body.ts";
import { filterCategory, wasFilterDown } from "../filter-category.ts";
import { MAX_ANSWER_CHARS } from "../limits.ts";
import { parseJson, untrusted } from "../untrusted.ts";
import { textOf } from "./content.ts";
import { readFinish } from "./finish-reasons.ts";
import { modelNameOf } from "./model-name.ts";
import type { SseEvent } from "./sse.ts";
import { type AnswerContext, type AnswerSummary, endOf } from "./summary.ts";
import { readUsage } from "./usage.ts";
import { WholeCharacters } from "./whole-characters.ts";

type Chunk = OpenAI.ChatCompletionChunk;

/** What some providers add to OpenAI's chunks. */
interface VendorChunk extends Chunk {
  /** Groq puts the usage here. */
  x_groq: { usage: OpenAI.CompletionUsage };
}

interface VendorChoice extends OpenAI.ChatCompletionChunk.Choice {
  /** Azure's content filter. */
  content_filter_results: unknown;
}

/** Builds an answer from the events of one stream. Pure: no clock, no socket. */
export class StreamAnswer {
  readonly #context: AnswerContext;
  readonly #characters = new WholeCharacters();
  #chars = 0;
  #finishReason = "";
  #isDone = false;
  #isRefused = false;
  #filterCategory = "";
  #usage: TokenCounts | undefined;
  #servedModel: string | undefined;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  /** `[DONE]` came: nothing after it counts. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** The model said why it stopped; only its usage may still be on the way. */
  get isFinished(): boolean {
    return this.#finishReason !== "";
  }

  /** What the provider reported so far, for an answer that breaks off. */
  get usage(): TokenCounts | undefined {
    return this.#usage;
  }

  /**
   * Takes one event and returns the text that it adds, which may be empty.
   * @throws UpstreamError for an error event, data that is no JSON, and half a character that stays half.
   */
  push(event: SseEvent): string {
    const data = event.data.trim();
    if (data === "" || this.#isDone) return "";
    if (data === "[DONE]") {
      this.#isDone = true;
      return "";
    }
    const json = parseJson(data);
    if (event.name === "error" || isErrorEnvelope(json)) throw this.#withUsage(this.#context.classify(data));
    if (json === undefined) throw this.interrupted();
    return this.#readChunk(untrusted<VendorChunk>(json));
  }

  /**
   * The end event, once the stream is over.
   * @throws UpstreamError for an answer that is cut, filtered, refused or empty.
   */
  end(): Extract<ModelEvent, { kind: "end" }> {
    if (this.#characters.isHolding) throw this.interrupted();
    return endOf(this.#summary());
  }

  /** The failure of a stream that broke off, with what was reported until then. */
  interrupted(cause?: unknown): UpstreamError {
    return this.#withUsage({ kind: "stream_interrupted", httpStatus: this.#context.httpStatus }, cause);
  }

  #summary(): AnswerSummary {
    const isAccepted = this.#isDone && this.#context.acceptsMissingFinish && this.#chars > 0;
    return {
      finish: readFinish(this.#finishReason) ?? (isAccepted ? "stop" : undefined),
      finishReason: this.#finishReason,
      hasText: this.#chars > 0,
      isRefused: this.#isRefused,
      filterCategory: this.#filterCategory,
      usage: this.#usage,
      servedModel: this.#servedModel,
      httpStatus: this.#context.httpStatus,
    };
  }

  #readChunk(chunk: ReturnType<typeof untrusted<VendorChunk>>): string {
    // Usage rides on a chunk of its own with no choices, on the last chunk with choices, or on every chunk.
    this.#usage =
      readUsage(chunk.usage) ?? readUsage(untrusted<VendorChunk["x_groq"]>(chunk.x_groq).usage) ?? this.#usage;
    this.#servedModel = modelNameOf(chunk.model) ?? this.#servedModel;
    if (!Array.isArray(chunk.choices)) return "";
    return chunk.choices.map((choice) => this.#readChoice(untrusted<VendorChoice>(choice))).join("");
  }

  #readChoice(choice: ReturnType<typeof untrusted<VendorChoice>>): string {
    if (choice.index !== undefined && choice.index !== 0) return "";
    const delta = untrusted<OpenAI.ChatCompletionChunk.Choice.Delta>(choice.delta);
    if (typeof choice.finish_reason === "string" && choice.finish_reason) this.#finishReason = choice.finish_reason;
    if (typeof delta.refusal === "string" && delta.refusal !== "") this.#isRefused = true;
    this.#filterCategory ||= filterCategory(choice.content_filter_results);
    if (wasFilterDown(choice.content_filter_results)) this.#context.onUnfiltered();
    const text = this.#characters.push(textOf(delta.content));
    this.#chars += text.length;
    if (this.#chars > MAX_ANSWER_CHARS || !text.isWellFormed()) throw this.interrupted();
    return text;
  }

  #withUsage(fields: UpstreamErrorFields, cause?: unknown): UpstreamError {
    return new UpstreamError({ ...fields, ...(this.#usage && { usage: this.#usage }) }, { cause });
  }
}
