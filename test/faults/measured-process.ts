import { startService } from "./running-service.ts";

/**
 * The service in a process of its own, run with --expose-gc, that answers two questions of its parent: "measure", after
 * all garbage is collected, and "stop".
 */
const config: Readonly<Record<string, unknown>> = JSON.parse(String(process.argv[2]));
const service = await startService(config);
const { gc } = globalThis;
if (!gc) throw new Error("needs --expose-gc");

process.on("message", (question) => {
  void answer(question);
});
process.send?.({ address: service.address });

async function answer(question: unknown): Promise<void> {
  if (question === "stop") {
    const { clean } = await service.stop();
    process.send?.({ clean });
    process.disconnect();
    return;
  }
  // What the first collection finalizes only the next one frees.
  for (let turn = 0; turn < 4; turn += 1) {
    gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const faults = service.log.filter(({ level }) => level === "error").map((line) => JSON.stringify(line));
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send?.({ rss, live: heapUsed + external, faults });
}
