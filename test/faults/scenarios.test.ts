import { checkExpectations } from "./expectations.ts";
import { moreScenarios } from "./more-scenarios.ts";
import { playScenario } from "./play-scenario.ts";
import type { FaultScenario } from "./scenario.ts";
import { loadScenarios } from "./scenario-file.ts";

/**
 * Plays every scenario against the whole service over gRPC, unary and as a stream. `SLUICE_FAULT_SCENARIOS` names
 * another file of the same format.
 */
describe("the fault scenarios, over the whole service", () => {
  const scenarios = loadScenarios();
  const counts = { must: { kept: 0, played: 0 }, should: { kept: 0, played: 0 } };

  for (const level of ["must", "should"] as const) {
    describe(level, () => {
      for (const scenario of scenarios.filter((each) => each.level === level)) {
        it(`${scenario.id}: ${scenario.title}`, async () => {
          counts[level].played += 1;
          await playBoth(scenario);
          counts[level].kept += 1;
        });
      }
    });
  }

  after("prints the counts", () => {
    const told = Object.entries(counts).map(([level, { kept, played }]) => `${level} ${kept} of ${played}`);
    console.log(`    fault scenarios kept: ${told.join(", ")}`);
  });
});

describe("more fault scenarios", () => {
  for (const scenario of moreScenarios()) it(scenario.id, () => playBoth(scenario));
});

/** As a unary call and as a stream, side by side, each with a service and a provider of its own: most of it is waiting. */
async function playBoth(scenario: FaultScenario): Promise<void> {
  const [unary, stream] = await Promise.all([playScenario(scenario, "complete"), playScenario(scenario, "stream")]);
  checkExpectations(unary, scenario.expect);
  checkExpectations(stream, scenario.expect);
}
