import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What the process of the service knows of itself. */
export interface Measured {
  /** In bytes, after all garbage was collected. */
  readonly rss: number;
  /** What of it is in use by objects and buffers, which shows a leak that the process had room for. In bytes. */
  readonly live: number;
  /** What it logged as its own faults. */
  readonly faults: readonly string[];
}

/** A service in a process of its own, whose memory can be measured after a collection of all garbage. */
export interface MeasuredService {
  /** host:port. */
  readonly address: string;
  measure(): Promise<Measured>;
  stop(): Promise<{ readonly clean: boolean }>;
}

const program = fileURLToPath(new URL("measured-process.ts", import.meta.url));

export async function startMeasuredService(config: Readonly<Record<string, unknown>>): Promise<MeasuredService> {
  const child = fork(program, [JSON.stringify(config)], { execArgv: ["--expose-gc"], stdio: "inherit" });
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);
  child.once("exit", () => process.off("exit", killWithUs));
  const { address } = await nextMessage<{ address: string }>(child);
  return {
    address,
    measure: () => ask<Measured>(child, "measure"),
    async stop() {
      const ended = once(child, "exit");
      const outcome = await ask<{ clean: boolean }>(child, "stop");
      await ended;
      return outcome;
    },
  };
}

function ask<Answer>(child: ChildProcess, question: string): Promise<Answer> {
  const answer = nextMessage<Answer>(child);
  child.send(question);
  return answer;
}

/** The next message of our own program, whose shape is known. */
function nextMessage<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const gone = (code: unknown) => reject(new Error(`the service ended with ${code}`));
    child.once("exit", gone);
    child.once("message", (message) => {
      child.off("exit", gone);
      resolve(message as Message);
    });
  });
}
