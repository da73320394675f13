import type { DescService } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import { Health as HealthService, HealthCheckResponse_ServingStatus as Status } from "../../gen/health/v1/health_pb.ts";

/** What grpc.health.v1 tells, and who may change it. */
export interface Health {
  readonly routes: (router: ConnectRouter) => void;
  /** From now on NOT_SERVING, for good. Watch streams say so and end, since they would keep the server from draining. */
  setDraining(): void;
  /** Sets or clears a fault of our own, such as a full ledger spool; never a dependency's or a provider's. */
  setFault(name: string, isOn: boolean): void;
}

/** Most Watch streams at once; one more is RESOURCE_EXHAUSTED. */
const MAX_WATCHERS = 1000;

/** Health of the given services, all alike, and of the server as a whole under the empty name. */
export function createHealth(services: readonly DescService[]): Health {
  const names = new Set(["", ...services.map(({ typeName }) => typeName)]);
  const faults = new Set<string>();
  const wakers = new Set<() => void>();
  let draining = false;

  const status = () => (draining || faults.size > 0 ? Status.NOT_SERVING : Status.SERVING);
  const change = (apply: () => void) => {
    const before = status();
    apply();
    if (status() !== before) for (const wake of wakers) wake();
  };

  async function* watch(service: string, signal: AbortSignal) {
    if (wakers.size >= MAX_WATCHERS) throw new ConnectError("too many Watch streams", Code.ResourceExhausted);
    // Unknown names are told as such and not as an error, since a service may come later (health.proto).
    const current = () => (names.has(service) ? status() : Status.SERVICE_UNKNOWN);
    let wake = () => {};
    const waker = () => wake();
    wakers.add(waker);
    signal.addEventListener("abort", waker, { once: true });
    try {
      for (let told: Status | undefined; !signal.aborted; ) {
        const changed = new Promise<void>((resolve) => {
          wake = resolve;
        });
        if (current() !== told) {
          told = current();
          yield { status: told };
        } else if (draining) return;
        else await changed;
      }
    } finally {
      wakers.delete(waker);
      signal.removeEventListener("abort", waker);
    }
  }

  return {
    routes: (router) =>
      void router.service(HealthService, {
        check({ service }) {
          if (!names.has(service)) throw new ConnectError("no such service", Code.NotFound);
          return { status: status() };
        },
        list: () => ({ statuses: Object.fromEntries([...names].map((name) => [name, { status: status() }])) }),
        watch: ({ service }, context: HandlerContext) => watch(service, context.signal),
      }),
    setDraining: () =>
      change(() => {
        draining = true;
      }),
    setFault: (name, isOn) =>
      change(() => {
        if (isOn) faults.add(name);
        else faults.delete(name);
      }),
  };
}
