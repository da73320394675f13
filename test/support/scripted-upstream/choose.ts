import type { ModelStep, ReceivedCall, Scenario, Script, ScriptedStep } from "./steps.ts";

/** Chooses the step for each call, in order. */
export interface Chooser {
  /** The step that the next call will get, where it does not depend on the call. */
  upcoming(): ScriptedStep | undefined;
  /** Takes the next step. */
  take(call: ReceivedCall): ScriptedStep;
  /** Passes over the next step, for faults that leave no call. */
  skip(): void;
}

export function chooserOf(script: Script): Chooser {
  if (typeof script === "function") return functionChooser(script);
  return scenarioChooser(scenarioOf(script));
}

function scenarioOf(script: Scenario | ScriptedStep | readonly ScriptedStep[]): Scenario {
  if ("upstream" in script) return script;
  return { upstream: isList(script) ? script : [script] };
}

function isList(script: ScriptedStep | readonly ScriptedStep[]): script is readonly ScriptedStep[] {
  return Array.isArray(script);
}

function functionChooser(script: (call: ReceivedCall, index: number) => ScriptedStep): Chooser {
  let count = 0;
  return { upcoming: () => undefined, take: (call) => script(call, count++), skip: () => {} };
}

function scenarioChooser({ upstream, concurrency = 1 }: Scenario): Chooser {
  const ordered = upstream.filter((step): step is ScriptedStep => !isModelStep(step));
  const forModels = upstream.filter(isModelStep);
  const takenOf = new Map<ModelStep, number>();
  let taken = 0;
  const upcoming = () => ordered[Math.min(Math.floor(taken / concurrency), ordered.length - 1)];
  return {
    upcoming,
    skip: () => {
      taken += 1;
    },
    take(call) {
      const forModel = forModels.find((step) => step.when.model === call.json?.model);
      if (forModel) {
        const steps = forModel.respond_seq ?? (forModel.respond ? [forModel.respond] : []);
        const index = takenOf.get(forModel) ?? 0;
        takenOf.set(forModel, index + 1);
        return steps[Math.min(index, steps.length - 1)] ?? { status: 500 };
      }
      const step = upcoming();
      taken += 1;
      return step ?? { status: 500 };
    },
  };
}

function isModelStep(step: ScriptedStep | ModelStep): step is ModelStep {
  return "when" in step;
}
