// Writes the proto files that our contract imports and that no npm package ships as source, into `.protos/` (not checked
// in): buf/validate/validate.proto, printed from the descriptor that @bufbuild/protovalidate is compiled from.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { printFile } from "./proto-printer/print-file.ts";

const root = join(import.meta.dirname, "..");

for (const file of [file_buf_validate_validate]) {
  const header = "// Printed from the descriptor in the npm package @bufbuild/protovalidate (Apache-2.0).\n";
  writeWhenChanged(join(root, ".protos", `${file.name}.proto`), header + printFile(file));
}

/** Leaves an unchanged file alone, so that nothing that watches it is woken. */
function writeWhenChanged(path: string, content: string): void {
  if (existsSync(path) && readFileSync(path, "utf8") === content) return;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}
