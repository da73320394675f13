import type { BudgetPayer, PlannedAttempt } from "../../src/core/budgets.ts";
import type { MemoryCache, SharedCache } from "../../src/core/cache.ts";
import type { LedgerRecord } from "../../src/core/ledger.ts";
import type { Log, LogFields, LogLevel } from "../../src/core/log.ts";
import type { ChatModel, ModelTarget } from "../../src/core/model.ts";
import type { LoadedPrompt } from "../../src/core/prompt.ts";
import type { CheckCompiler, CheckFacts, Checks } from "../../src/core/semantic-check.ts";
import type { ModelGate } from "../../src/pipeline/model-gates.ts";
import type { createPipeline } from "../../src/pipeline/pipeline.ts";
import type { TestPorts } from "../support/pipeline-ports.ts";
import { wrappedMemory } from "../support/wrapped-memory.ts";

type PipelinePorts = Parameters<typeof createPipeline>[0];

/** Makes one chosen call to one port fail, and counts the calls to all of them. */
export class PortFaults {
  readonly counts = new Map<string, number>();
  readonly #armed?: { readonly method: string; readonly nth: number; readonly error: unknown };
  /** Whether the chosen call was made, and failed. */
  isSpent = false;

  constructor(armed?: { readonly method: string; readonly nth: number; readonly error: unknown }) {
    this.#armed = armed;
  }

  /** Counts a call. Throws when it is the one that must fail. */
  #pass(method: string): void {
    const nth = (this.counts.get(method) ?? 0) + 1;
    this.counts.set(method, nth);
    if (this.#armed?.method !== method || this.#armed.nth !== nth) return;
    this.isSpent = true;
    throw this.#armed.error;
  }

  #sync<Args extends readonly unknown[], Result>(method: string, call: (...args: Args) => Result) {
    return (...args: Args): Result => {
      this.#pass(method);
      return call(...args);
    };
  }

  #async<Args extends readonly unknown[], Result>(method: string, call: (...args: Args) => Promise<Result>) {
    return async (...args: Args): Promise<Result> => {
      this.#pass(method);
      return call(...args);
    };
  }

  /** The ports with every method counted. */
  wrap(ports: TestPorts): PipelinePorts {
    const { clock, ledger, budgets, cache, counter, prompts, schemas, checks, prices, models, gates, log } = ports;
    return {
      ...ports,
      clock: {
        nowMs: () => clock.nowMs(),
        monotonicMs: () => clock.monotonicMs(),
        random: () => clock.random(),
        sleep: this.#async("clock.sleep", (ms: number, signal: AbortSignal) => clock.sleep(ms, signal)),
      },
      ledger: {
        record: (record) =>
          this.#async(`ledger.record ${record.type}`, (it: LedgerRecord) => ledger.record(it))(record),
      },
      budgets: {
        ...budgets,
        admit: this.#async("budgets.admit", (payer: BudgetPayer) => budgets.admit(payer)),
        reserve: this.#async("budgets.reserve", (payer: BudgetPayer, attempt: PlannedAttempt) =>
          budgets.reserve(payer, attempt),
        ),
      },
      cache: {
        ...cache,
        memory: this.#memory(cache.memory),
        shared: cache.shared && this.#shared(cache.shared),
      },
      counter: {
        count: this.#sync("counter.count", (text: string, family: string) => counter.count(text, family)),
        observe: this.#sync("counter.observe", (family: string, counted: number, reported: number) =>
          counter.observe(family, counted, reported),
        ),
      },
      prompts: {
        get: this.#sync("prompts.get", (name: string, version: string) => this.#prompt(prompts.get(name, version))),
        list: () => prompts.list(),
      },
      checks: {
        compile: this.#sync("checks.compile", (...args: Parameters<CheckCompiler["compile"]>) =>
          this.#checks(checks.compile(...args)),
        ),
      },
      gates: {
        of: this.#sync("gates.of", (target: ModelTarget) => {
          const gate = gates.of(target);
          return { enter: this.#async("gate.enter", (wait: Parameters<ModelGate["enter"]>[0]) => gate.enter(wait)) };
        }),
      },
      schemas: { compile: this.#sync("schemas.compile", (text: string) => schemas.compile(text)) },
      prices: {
        price: this.#sync("prices.price", (provider: { id: string }, model: string) => prices.price(provider, model)),
      },
      models: {
        ...models,
        resolve: this.#sync("models.resolve", (alias: string) => this.#target(models.resolve(alias))),
      },
      log: this.#log(log),
    };
  }

  #memory(memory: MemoryCache): MemoryCache {
    return wrappedMemory(memory, {
      get: this.#async("memory.get", (key: string) => memory.get(key)),
      set: this.#async("memory.set", (...args: Parameters<MemoryCache["set"]>) => memory.set(...args)),
    });
  }

  #shared(shared: SharedCache): SharedCache {
    return {
      ...shared,
      look: this.#async("shared.look", (key: string) => shared.look(key)),
      claim: this.#async("shared.claim", (key: string) => shared.claim(key)),
      set: this.#async("shared.set", (...args: Parameters<SharedCache["set"]>) => shared.set(...args)),
    };
  }

  #checks(checks: Checks): Checks {
    const evaluate = (facts: CheckFacts) => checks.evaluate(facts);
    return { ...checks, evaluate: this.#sync("checks.evaluate", evaluate) };
  }

  #prompt(prompt: LoadedPrompt): LoadedPrompt {
    const render = (...args: Parameters<LoadedPrompt["render"]>) => prompt.render(...args);
    return { ...prompt, render: this.#sync("prompt.render", render) };
  }

  #target(target: ModelTarget): ModelTarget {
    const pass = () => this.#pass("chat.complete");
    const chat: ChatModel = {
      async *complete(request, signal) {
        pass();
        yield* target.chat.complete(request, signal);
      },
    };
    return { ...target, chat };
  }

  #log(log: Log): Log {
    const line = (level: LogLevel) =>
      this.#sync(`log.${level}`, (event: string, fields?: LogFields) => log[level](event, fields));
    return {
      isEnabled: (level) => log.isEnabled(level),
      debug: line("debug"),
      info: line("info"),
      warn: line("warn"),
      error: line("error"),
    };
  }
}
