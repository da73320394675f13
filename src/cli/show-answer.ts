import { type DescMessage, type MessageShape, toJsonString } from "@bufbuild/protobuf";
import { RemoteError } from "../rpc/client.ts";
import { failureJson } from "./failure-text.ts";
import { exitCode, type Terminal } from "./terminal.ts";

/** The answer as text, or as JSON with zeros; there a failure of the server is its status on standard error. */
export async function showAnswer<Desc extends DescMessage>(
  schema: Desc,
  ask: () => Promise<MessageShape<Desc>>,
  textOf: (answer: MessageShape<Desc>) => string,
  { json = false }: { readonly json?: boolean },
  { stdout, stderr }: Pick<Terminal, "stdout" | "stderr">,
): Promise<number> {
  try {
    const answer = await ask();
    stdout.write(
      json ? `${toJsonString(schema, answer, { prettySpaces: 2, alwaysEmitImplicit: true })}\n` : textOf(answer),
    );
    return exitCode.ok;
  } catch (error) {
    if (!json || !(error instanceof RemoteError)) throw error;
    const { text, exit } = failureJson(error);
    stderr.write(`${text}\n`);
    return exit;
  }
}
