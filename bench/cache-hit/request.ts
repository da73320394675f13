import { create } from "@bufbuild/protobuf";
import { CompleteRequestSchema } from "../../gen/sluice/v1/pipeline_service_pb.ts";

/** The call that is repeated: about 1 KB of text, of which only the first one reaches the (sandbox) model. */
export const request = create(CompleteRequestSchema, {
  input: { prompt: { name: "summarize", variables: { text: "The quay is closed until Friday at six. ".repeat(25) } } },
});
