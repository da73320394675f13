import { asks, complete, sends, type WireCase } from "../case.ts";

const ANSWERED = "0 with 1 message";
const PATH = `/${complete.parent.typeName}/${complete.name}`;
const as = (contentType: string | undefined) => ({ "content-type": contentType });

const contentTypes: readonly (readonly [contentType: string | undefined, ends: string])[] = [
  ["application/grpc", ANSWERED],
  ["application/grpc+proto", ANSWERED],
  ["application/grpc;charset=utf-8", "3 INVALID_REQUEST"],
  ["application/grpc+proto; charset=utf-8", "3 INVALID_REQUEST"],
  ["application/grpc+proto;charset=utf-8", "3 INVALID_REQUEST"],
  ["APPLICATION/GRPC", ANSWERED],
  ["Application/Grpc+Proto", ANSWERED],
  ["application/grpc+thrift", "3 INVALID_REQUEST"],
  ["application/grpc-web", "http 200"],
  ["application/grpc-web+proto", "http 200"],
  ["application/grpcx", "3 INVALID_REQUEST"],
  ["application/grpc ", "http 415"],
  ["application/grpc+", "3 INVALID_REQUEST"],
  ["application/x-protobuf", "http 415"],
  ["text/plain", "http 415"],
  ["", "http 415"],
  [undefined, "http 415"],
];

const paths: readonly (readonly [path: string, ends: string])[] = [
  ["/sluice.v1.PipelineService/Nope", "12"],
  ["/sluice.v1.NopeService/Complete", "12"],
  ["/", "12"],
  ["/sluice.v1.PipelineService", "12"],
  ["/sluice.v1.PipelineService/", "12"],
  [`${PATH}/`, "12"],
  [`/${PATH}`, "12"],
  ["/sluice.v1.PipelineService/complete", "12"],
  ["/SLUICE.V1.PIPELINESERVICE/Complete", "12"],
  [`${PATH}?a=1`, ANSWERED],
  [`${PATH}#a`, "12"],
  ["/sluice.v1.PipelineService/%43omplete", "12"],
  ["/constructor/toString", "12"],
  [`/${"a".repeat(4000)}`, "12"],
];

/** What is not in the body: content type, method, path, and the headers that gRPC wants. */
export const requests: readonly WireCase[] = [
  ...contentTypes.map(
    ([contentType, ends]): WireCase => ({
      name: `says the content type ${JSON.stringify(contentType) ?? "not at all"}`,
      headers: as(contentType),
      steps: asks("\nx"),
      ends,
    }),
  ),
  ...paths.map(
    ([path, ends]): WireCase => ({ name: `asks for ${path}`, headers: { ":path": path }, steps: asks("\nx"), ends }),
  ),
  { name: "leaves out te", headers: { te: undefined }, steps: asks("\nx"), ends: ANSWERED },
  ...["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY"].map(
    (method): WireCase => ({
      name: `sends ${method}`,
      headers: { ":method": method },
      steps: asks("\nx"),
      ends: "3 INVALID_REQUEST",
      handler: [],
    }),
  ),
  {
    name: "sends GET without a content type",
    headers: { ":method": "GET", ...as(undefined) },
    steps: sends(),
    ends: "http 405",
  },
  { name: "sends HEAD", headers: { ":method": "HEAD" }, steps: sends(), ends: "3 INVALID_REQUEST", handler: [] },
  { name: "asks by https over cleartext", headers: { ":scheme": "https" }, steps: asks("\nx"), ends: ANSWERED },
  {
    name: "says the length of its body",
    headers: { "content-length": String(asksLength("\nx")) },
    steps: asks("\nx"),
    ends: ANSWERED,
  },
  {
    name: "says a length that its body has not",
    headers: { "content-length": "3" },
    steps: asks("\nx"),
    ends: "reset 2",
  },
  { name: "expects 100-continue", headers: { expect: "100-continue" }, steps: asks("\nx"), ends: ANSWERED },
  {
    name: "says a content encoding, which is none of gRPC",
    headers: { "content-encoding": "gzip" },
    steps: asks("\nx"),
    ends: ANSWERED,
  },
];

function asksLength(script: string): number {
  return asks(script).reduce(
    (sum, step) => sum + (typeof step === "object" && "send" in step ? step.send.length : 0),
    0,
  );
}
