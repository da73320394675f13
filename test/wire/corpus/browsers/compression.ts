import { gzipSync } from "node:zlib";
import { framed, type Step, sends, streamComplete } from "../../case.ts";
import { acceptsHeader, encodingHeader, type Speech } from "../../speech.ts";
import type { BrowserCase } from "../browsers.ts";
import { asksIn, messageIn } from "./script.ts";

const INVALID = "3 INVALID_REQUEST";
const ANSWERED = "0 with 3 messages";

/** Compression both ways. */
export function compression(speech: Speech): readonly BrowserCase[] {
  const gzip = encodingHeader(speech, "gzip");
  const acceptsGzip = acceptsHeader(speech, "br, gzip");
  const packed = (content: Uint8Array): readonly Step[] => sends(framed(gzipSync(content), { flags: 1 }));
  const asks = (script: string) => asksIn(speech, script);
  const cases: readonly Omit<BrowserCase, "method">[] = [
    { name: "compresses its message", headers: gzip, steps: packed(messageIn(speech, "\nx")), ends: ANSWERED },
    { name: "says gzip and compresses nothing", headers: gzip, steps: asks("\nx"), ends: ANSWERED },
    { name: "says the encoding br", headers: encodingHeader(speech, "br"), steps: asks(""), ends: "12", handler: [] },
    { name: "compresses and does not say so", steps: packed(messageIn(speech, "")), ends: INVALID, handler: [] },
    {
      name: "sends garbage as gzip",
      headers: gzip,
      steps: sends(framed(Buffer.from("no gzip"), { flags: 1 })),
      ends: INVALID,
      handler: [],
    },
    {
      name: `compresses garbage${speech.notation === "json" ? " of JSON" : ""}`,
      headers: gzip,
      steps: packed(Buffer.from("\xff{")),
      ends: INVALID,
      handler: [],
    },
    { name: "sends a bomb", headers: gzip, steps: packed(Buffer.alloc(16 * 1024 * 1024)), ends: "8", handler: [] },
    {
      name: "compresses and gets large messages",
      headers: gzip,
      steps: packed(messageIn(speech, "bytes=5000")),
      ends: ANSWERED,
    },
    { name: "accepts gzip and gets large messages", headers: acceptsGzip, steps: asks("bytes=5000"), ends: ANSWERED },
    { name: "accepts gzip and gets small messages", headers: acceptsGzip, steps: asks("bytes=50"), ends: ANSWERED },
    {
      name: "accepts identity alone",
      headers: acceptsHeader(speech, "identity"),
      steps: asks("bytes=5000"),
      ends: ANSWERED,
    },
    {
      name: "accepts gzip and gets an end that is worth compressing",
      headers: acceptsGzip,
      steps: asks(`messages=1 then=fail:PARSE_FAILURE\n${"語".repeat(9000)}`),
      ends: "15 PARSE_FAILURE with 1 message",
    },
  ];
  return cases.map((one) => ({ ...one, method: streamComplete }));
}
