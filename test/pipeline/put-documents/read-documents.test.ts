import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { DocumentInputSchema } from "../../../gen/sluice/v1/corpus_pb.ts";
import type { DocumentReader, ReadDocument } from "../../../src/core/documents.ts";
import { UnreadableDocumentError } from "../../../src/core/documents.ts";
import { readDocuments } from "../../../src/pipeline/put-documents/read-documents.ts";
import { failureOf, text } from "./fixture.ts";

const changed = (values: readonly string[]) =>
  values.map((value, index) => ({
    index,
    input: create(DocumentInputSchema, text(`d${index}`, value)),
    contentHash: "",
  }));

const chunk = { text: "x", headingPath: [], startOffsetBytes: 0, endOffsetBytes: 1 };

function documentOf(chunks: number): ReadDocument {
  return { title: "", text: "x", chunks: Array(chunks).fill(chunk) };
}

describe("reading the documents of a request", () => {
  it("reads at most four at a time, and keeps their order", async () => {
    let underWay = 0;
    let most = 0;
    const reader: DocumentReader = {
      async read(content) {
        underWay += 1;
        most = Math.max(most, underWay);
        for (let turns = content.kind === "pdf" ? 0 : 9 - Number(content.text); turns > 0; turns -= 1) await null;
        await new Promise((resolve) => setImmediate(resolve));
        underWay -= 1;
        return documentOf(content.kind === "pdf" ? 0 : Number(content.text));
      },
    };
    const values = ["1", "2", "3", "4", "5", "6", "7", "8"];
    const read = await readDocuments(reader, changed(values), new AbortController().signal);
    assert.deepEqual(
      read.map(({ read: { chunks } }) => String(chunks.length)),
      values,
    );
    assert.equal(most, 4);
  });

  it("refuses more chunks than a request may have", async () => {
    const reader: DocumentReader = { read: async () => documentOf(7000) };
    const signal = new AbortController().signal;
    assert.equal((await readDocuments(reader, changed(["a", "b"]), signal)).length, 2);
    const failure = await failureOf(readDocuments(reader, changed(["a", "b", "c"]), signal));
    assert.ok(failure.reason === "INVALID_REQUEST");
    assert.deepEqual(
      [failure.violations[0]?.field, failure.violations[0]?.rule],
      ["documents", "documents.max_chunks"],
    );
  });

  it("ends the others where one cannot be read, and all of them where the caller leaves", async () => {
    const ended: string[] = [];
    const reader: DocumentReader = {
      read: (content, signal) =>
        new Promise((_, reject) => {
          const name = content.kind === "pdf" ? "" : content.text;
          if (name === "bad") setImmediate(() => reject(new UnreadableDocumentError("broken", "it is broken")));
          signal.addEventListener("abort", () => {
            ended.push(name);
            reject(signal.reason);
          });
        }),
    };
    const signal = new AbortController().signal;
    assert.equal(
      (await failureOf(readDocuments(reader, changed(["a", "bad", "b"]), signal))).reason,
      "INVALID_REQUEST",
    );
    assert.deepEqual(
      ended.splice(0).filter((name) => name !== "bad"),
      ["a", "b"],
    );
    const controller = new AbortController();
    const reading = readDocuments(reader, changed(["a", "b"]), controller.signal);
    controller.abort(new Error("the caller left"));
    await assert.rejects(reading, /the caller left/);
    assert.deepEqual(ended, ["a", "b"]);
  });
});
