import {
  type ConnectRouter,
  createMethodImplSpec,
  createServiceImplSpec,
  type Interceptor,
  type MethodImplSpec,
} from "@connectrpc/connect";
import { withInterceptors } from "./intercepted.ts";

/** The implementations that were registered, by the path of their requests. */
export class MethodTable {
  readonly #methods = new Map<string, MethodImplSpec>();
  readonly #interceptors: readonly Interceptor[];

  /** @param interceptors run around every implementation, in this order. */
  constructor(interceptors: readonly Interceptor[]) {
    this.#interceptors = interceptors;
  }

  /** The implementation behind `/package.Service/Method`. */
  find(path: string): MethodImplSpec | undefined {
    return this.#methods.get(path);
  }

  /**
   * The router, noting here too what is registered with it, so that it is registered once for both. What is registered
   * with options of its own is left to the router, which knows them all.
   */
  recording(router: ConnectRouter): ConnectRouter {
    const recorder: ConnectRouter = {
      handlers: router.handlers,
      service: (service, implementation, options) => {
        router.service(service, implementation, options);
        const { methods } = createServiceImplSpec(service, implementation);
        if (!options) for (const spec of Object.values(methods)) this.#add(spec);
        return recorder;
      },
      rpc: (method, implementation, options) => {
        router.rpc(method, implementation, options);
        if (!options) this.#add(createMethodImplSpec(method, implementation));
        return recorder;
      },
    };
    return recorder;
  }

  #add(spec: MethodImplSpec): void {
    const { parent, name } = spec.method;
    this.#methods.set(`/${parent.typeName}/${name}`, withInterceptors(spec, this.#interceptors));
  }
}
