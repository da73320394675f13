import { createBudgets } from "../../../src/adapters/memory-budgets.ts";
import { createRedisBudgets } from "../../../src/adapters/redis-budgets.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { silentLog } from "../../../src/core/log.ts";
import { attempt, budget, isGranted, payer } from "./fixture.ts";

// A process of its own for the tests: tries 200 attempts of 100 nano-USD at once, prints how many may pass, and lives on.
const [url = ""] = process.argv.slice(2);
const ports = { clock: systemClock, log: silentLog, holdMs: 60_000 };
const shared = createRedisBudgets({ url, timeoutMs: 10_000, ...ports });
const budgets = createBudgets({ budgets: [budget()], rates: [], shared, ...ports });
// Before Redis is there the process would decide alone.
while ((await shared.look("acme", [])) === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
const calls = await Promise.all(Array.from({ length: 200 }, () => isGranted(budgets.reserve(payer, attempt(100)))));
process.stdout.write(`granted ${calls.filter(Boolean).length}\n`);
setInterval(() => {}, 60_000);
