/** The two ways in which a server may speak gRPC: our own adapter on node:http2, and the library's. */
export type Wire = "native" | "connect";

export const wires: readonly Wire[] = ["native", "connect"];
