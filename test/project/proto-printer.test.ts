import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { create, createRegistry, type DescFile, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { quote } from "../../tools/proto-printer/layout.ts";
import { printFile } from "../../tools/proto-printer/print-file.ts";
import { textFormat } from "../../tools/proto-printer/text-format.ts";
import { run } from "../support/child.ts";

const buf = resolve("node_modules/.bin/buf");

/** Compiles a printed file with buf and gives its descriptor. */
async function compile(file: DescFile): Promise<FileDescriptorProto> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-printer-"));
  try {
    const path = join(folder, `${file.name}.proto`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, printFile(file));
    const image = join(folder, "image.binpb");
    const built = await run(buf, ["build", folder, "--as-file-descriptor-set", "--exclude-source-info", "-o", image]);
    assert.deepEqual({ code: built.code, stderr: built.stderr }, { code: 0, stderr: "" });
    const set = fromBinary(FileDescriptorSetSchema, await readFile(image));
    return set.file.find(({ name }) => name === `${file.name}.proto`) ?? assert.fail("the file is not in the image");
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A descriptor as JSON, options of protovalidate spelled out, without the JSON names that a compiler adds. */
function comparable(descriptor: FileDescriptorProto) {
  const registry = createRegistry(file_buf_validate_validate);
  const json = toJson(FileDescriptorProtoSchema, descriptor, { registry });
  return JSON.parse(JSON.stringify(json, (key, value) => (key === "jsonName" ? undefined : value)));
}

describe("the proto printer", () => {
  it("prints a source that compiles to the descriptor it was printed from", async () => {
    const file = file_buf_validate_validate;
    const original = fromBinary(FileDescriptorProtoSchema, toBinary(FileDescriptorProtoSchema, file.proto));
    assert.deepEqual(comparable(await compile(file)), comparable(original));
  });

  it("refuses a syntax that it does not know", () => {
    const file: DescFile = { ...file_buf_validate_validate, edition: 1000, proto: create(FileDescriptorProtoSchema) };
    assert.throws(() => printFile(file), /only proto2 and proto3/);
  });

  it("quotes what a string literal cannot hold", () => {
    assert.equal(quote('a"b\\c\né'), '"a\\"b\\\\c\\012\\303\\251"');
  });

  it("writes nested and repeated fields of an option", () => {
    assert.deepEqual(textFormat({ cel: [{ id: "a" }, { id: "b" }], on: true }), [
      "cel {",
      '  id: "a"',
      "}",
      "cel {",
      '  id: "b"',
      "}",
      "on: true",
    ]);
  });
});
