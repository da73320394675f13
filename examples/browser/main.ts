// A page that asks Sluice for a summary, with a client generated from the contract. It runs on another origin than the
// server, so that origin must be listed under `cors` in sluice.yaml.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { ErrorInfoSchema } from "../../gen/google/rpc/error_details_pb.ts";
import { PipelineService } from "../../gen/sluice/v1/pipeline_service_pb.ts";

const server = new URLSearchParams(location.search).get("server") ?? "http://127.0.0.1:8080";
const client = createClient(PipelineService, createConnectTransport({ baseUrl: server }));

const form = element("form", HTMLFormElement);
const answer = element("#answer", HTMLOutputElement);
const state = element("#state", HTMLParagraphElement);
const stop = element("#stop", HTMLButtonElement);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(form, event.submitter);
  const leave = new AbortController();
  const onStop = () => leave.abort();
  stop.addEventListener("click", onStop);
  stop.disabled = false;
  answer.value = "";
  state.textContent = "asked";
  void ask(fields, leave.signal)
    .then((cacheStatus) => {
      state.textContent = `done, cache status ${cacheStatus}`;
    })
    .catch((error: unknown) => {
      // What came of an answer that failed is void; what was stopped on purpose may stay.
      if (!leave.signal.aborted) answer.value = "";
      state.textContent = explain(error);
    })
    .finally(() => {
      stop.disabled = true;
      stop.removeEventListener("click", onStop);
    });
});

/** Shows the answer to what the form asks, and gives its cache status. */
async function ask(fields: FormData, signal: AbortSignal): Promise<number | undefined> {
  const variables = { text: String(fields.get("text")) };
  const input = { prompt: { name: "summarize", variables }, model: String(fields.get("model")) };
  if (fields.get("action") === "complete") {
    const { completion } = await client.complete({ input }, { signal });
    answer.value = completion?.text ?? "";
    return completion?.cacheStatus;
  }
  for await (const { event } of client.streamComplete({ input }, { signal })) {
    if (event.case === "textDelta") answer.value += event.value.text;
    if (event.case === "restarted") answer.value = "";
    if (event.case === "finished") return event.value.completion?.cacheStatus;
  }
  throw new Error("the stream ended without a last event");
}

/** The reason of a failed call; clients branch on it, not on the code. */
function explain(error: unknown): string {
  const failure = ConnectError.from(error);
  if (failure.code === Code.Canceled) return "stopped";
  const [info] = failure.findDetails(ErrorInfoSchema);
  return info ? `${info.reason} (call ${info.metadata.call_id})` : failure.message;
}

function element<T extends Element>(selector: string, kind: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${selector} in the page`);
  return found;
}
