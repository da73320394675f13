// Shows the run of a seed as it went, for people; what breaks an invariant is made as small as may be first:
// node test/properties/show.ts 44

import { AttemptCauseSchema } from "../../gen/sluice/v1/attempt_pb.ts";
import { drawPlan } from "./draw-plan.ts";
import { nameOf } from "./enum-name.ts";
import { checkInvariants } from "./invariants.ts";
import type { Observation } from "./observation.ts";
import { play } from "./play.ts";
import { shrink } from "./shrink.ts";

/** Everything that happened, in order, a line each. */
function history({ plan, attempts, callers, records, sleeps, leftovers }: Observation): string {
  const lines: { order: number; ms: number; line: string }[] = [];
  const add = (at: { order: number; ms: number } | undefined, line: string) => at && lines.push({ ...at, line });
  for (const { request, model, outcome, begun, over, end } of attempts) {
    const name = `${request.callId}#${request.attempt} ${model.alias}`;
    const { fault, delayMs, gapMs, waitMs, retry, httpStatus } = outcome;
    add(begun, `→ ${name} will be ${JSON.stringify({ fault, delayMs, gapMs, waitMs, retry, httpStatus })}`);
    add(over, `← ${name} ${end}`);
  }
  for (const { id, plan: caller, arrived, settled, aborted, completion, failure, bug, deadlineMs } of callers) {
    add(arrived, `${id} asks ${JSON.stringify(caller)}, until ${deadlineMs}`);
    add(aborted, `${id} is aborted: ${aborted?.reason}`);
    const causes = completion?.attempts.map(({ cause }) => nameOf(AttemptCauseSchema, cause));
    add(
      settled,
      `${id} has ${failure?.reason ?? bug ?? `${completion?.model} status ${completion?.cacheStatus} ${causes}`}`,
    );
  }
  for (const { record, at } of records) add(at, `  ledger ${record.type} ${record.call_id}`);
  for (const { begunMs, order, delayMs, state } of sleeps) add({ ms: begunMs, order }, `  sleep ${delayMs} (${state})`);
  const { callers: _callers, models, ...rest } = plan;
  const told = models.map(({ outcomes, ...model }) => JSON.stringify({ ...model, outcomes: outcomes.length }));
  const events = lines.sort((a, b) => a.order - b.order).map(({ ms, line }) => `${ms.toFixed(1).padStart(10)} ${line}`);
  return [JSON.stringify(rest), ...told, ...events, ...leftovers].join("\n");
}

const run = await play(await shrink(drawPlan(Number(process.argv[2]))));
console.log(history(run));
checkInvariants(run);
