import assert from "node:assert/strict";
import { decodeLine, encodeLine } from "../../../src/adapters/spool/line.ts";

describe("spool lines", () => {
  const value = { text: "é\n\u0000 \u{1F600}", number: 12.5 };
  const line = encodeLine(value).subarray(0, -1);

  it("give back what was put in", () => {
    assert.deepEqual(decodeLine(line), { value });
  });

  it("hold exactly one line feed, at the end", () => {
    const bytes = encodeLine(value);
    assert.equal(bytes.indexOf("\n"), bytes.length - 1);
  });

  it("are damage when they are cut at any byte", () => {
    for (let length = 0; length < line.length; length += 1) {
      assert.ok("damage" in decodeLine(line.subarray(0, length)), `cut to ${length} bytes`);
    }
  });

  it("are damage when any single bit is flipped", () => {
    for (let index = 0; index < line.length * 8; index += 1) {
      const flipped = Buffer.from(line);
      flipped[index >> 3] = (flipped[index >> 3] ?? 0) ^ (1 << (index & 7));
      assert.ok("damage" in decodeLine(flipped), `bit ${index}`);
    }
  });

  it("are damage when they are followed by more", () => {
    assert.deepEqual(decodeLine(Buffer.concat([line, Buffer.from("x")])), { damage: "checksum" });
  });

  it("are damage when they are random bytes", () => {
    for (const text of ["", " ", "\u0000", "zzzzzzzz 1 1", `${"0".repeat(8)} 99999999999 x`, "x".repeat(100_000)]) {
      assert.ok("damage" in decodeLine(Buffer.from(text)));
    }
  });
});
