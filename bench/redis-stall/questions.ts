import type { MessageInitShape } from "@bufbuild/protobuf";
import { Role } from "../../gen/sluice/v1/message_pb.ts";
import type { CompleteRequestSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";

const TEXT = "The quay is closed until Friday at six. ".repeat(25);

/** The call with that name: about 1 KB of text. */
export function question(name: string): MessageInitShape<typeof CompleteRequestSchema> {
  return {
    input: { messages: [{ role: Role.USER, content: [{ content: { case: "text", value: `${name}: ${TEXT}` } }] }] },
  };
}
