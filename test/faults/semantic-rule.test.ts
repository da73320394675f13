import assert from "node:assert/strict";
import { celRule } from "./semantic-rule.ts";

describe("a scenario's rule in CEL", () => {
  const said: readonly (readonly [js: string, cel: string])[] = [
    ["v.lines.reduce((s,l)=>s+l.amount,0)===v.total", "sum(output.lines.map(l,l.amount))==output.total"],
    ["v.lines.every(l => l.amount > 0)", "output.lines.all(l,l.amount > 0.0)"],
    [
      "v.lines.some(l=>l.tags.every(t=>t!=='x')) && v.lines.length>=2",
      "output.lines.exists(l,l.tags.all(t,t!='x')) && output.lines.size()>=2.0",
    ],
    ["v.lines.filter(l=>l.ok).length===1", "output.lines.filter(l,l.ok).size()==1.0"],
    ["v.lines[0].from < v.lines[0].to", "output.lines[0].from < output.lines[0].to"],
    [
      "v.lines.reduce((s, l) => s + l.qty * l.price, 0) === v.net",
      "sum(output.lines.map(l,l.qty * l.price))==output.net".replace("==", " == "),
    ],
    ["Math.abs(v.net + v.tax - v.total) < 0.01", "approx(output.net + output.tax, output.total)"],
  ];
  for (const [js, cel] of said) it(`${js} is ${cel}`, () => assert.equal(celRule(js), cel));

  it("is refused where it cannot be said", () => {
    for (const js of ["new Set(v.ids).size === 2", "v.a.reduce((m,x)=>Math.max(m,x),0)===3", "/x/.test(v.name)"]) {
      assert.throws(() => celRule(js), /CEL|reduce/, js);
    }
  });
});
