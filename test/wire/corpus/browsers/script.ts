import { create } from "@bufbuild/protobuf";
import { CompleteRequestSchema } from "../../../../gen/sluice/v1/pipeline_service_pb.ts";
import { framed, type Step, sends } from "../../case.ts";
import { encoded, type Speech } from "../../speech.ts";

/** The message of a stream in a speech; see `scripted-pipeline.ts` for what a script says. */
export function messageIn(speech: Speech, script: string): Uint8Array {
  return encoded(speech, CompleteRequestSchema, create(CompleteRequestSchema, { input: { model: script } }));
}

/** One message, and the end of the request. */
export function asksIn(speech: Speech, script: string): readonly Step[] {
  return sends(framed(messageIn(speech, script)));
}
