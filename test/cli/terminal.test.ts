import assert from "node:assert/strict";
import { tableText } from "../../src/cli/table.ts";
import { printable, printableJson, printableProse } from "../../src/cli/terminal.ts";

const controls = [..."\0\u0007\b\r\u001b\u007f\u0085\u009b"];
const directions = [..."\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"];
const fine = "a\tb\n é 漢 שלום 👩‍👧 \u00ad";

describe("text from elsewhere", () => {
  it("is shown without characters that command a terminal or turn a text round", () => {
    for (const character of [...controls, ...directions, "\u2028", "\u2029"]) {
      assert.equal(printable(`a${character}b`), "a\uFFFDb", character.codePointAt(0)?.toString(16));
    }
    assert.equal(printable(fine), fine);
  });

  it("is cleaned in every cell of a table", () => {
    const shown = tableText([["name"], ["admin\u202egpj\u2066"], ["x\u001b[2J"]]);
    assert.match(shown, /admin\uFFFDgpj\uFFFD/);
    assert.match(shown, /x\uFFFD\[2J/);
  });

  it("keeps its marks of direction where it is prose", () => {
    const prose = `${fine}${directions.join("")}`;
    assert.equal(printableProse(prose), prose);
    assert.equal(printableProse(controls.join("")), "\uFFFD".repeat(controls.length));
  });

  it("loses nothing where it is JSON", () => {
    const value = { name: [...controls, ...directions].join(""), fine };
    const json = printableJson(JSON.stringify(value, undefined, 2));
    assert.deepEqual(JSON.parse(json), value);
    assert.equal(printable(json), json);
  });
});
