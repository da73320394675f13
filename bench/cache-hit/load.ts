// Calls Complete over gRPC with grpc-js as fast as the server answers: load.ts <address> <calls in flight> <milliseconds>.
// Prints what it saw as JSON.
import { performance } from "node:perf_hooks";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";
import { GrpcCaller } from "../../test/support/grpc-caller.ts";
import { request } from "./request.ts";

const [address = "", inFlight = "1", durationMs = "1000"] = process.argv.slice(2);
const caller = new GrpcCaller(address);
const latencies: number[] = [];
const start = performance.now();
const end = start + Number(durationMs);

async function callUntilTheEnd(): Promise<void> {
  while (performance.now() < end) {
    const begin = performance.now();
    await caller.unary(PipelineService.method.complete, request);
    latencies.push(performance.now() - begin);
  }
}

await Promise.all(Array.from({ length: Number(inFlight) }, callUntilTheEnd));
const seconds = (performance.now() - start) / 1000;
caller.close();
latencies.sort((a, b) => a - b);
const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)];
console.log(JSON.stringify({ calls: latencies.length, seconds, p50: at(0.5), p99: at(0.99) }));
