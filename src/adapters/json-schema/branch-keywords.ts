import { _, type CodeKeywordDefinition, type KeywordCxt, Name } from "ajv/dist/2020.js";
import { Type } from "ajv/dist/compile/util.js";

/**
 * The keywords that look at a value with schemas that may fail, written so that a failing branch leaves no errors behind.
 * ajv's own keep the errors of every branch even where only one is asked for: nested, their number is exponential in the
 * depth, and a list whose items match nothing yields an error for each.
 */
export const branchKeywords: readonly CodeKeywordDefinition[] = [
  { keyword: "anyOf", schemaType: "array", trackErrors: true, code: anyOf },
  {
    keyword: "oneOf",
    schemaType: "array",
    trackErrors: true,
    code: oneOf,
    error: { message: "", params: ({ params }) => _`{passingSchemas: ${params.passing}}` },
  },
  {
    keyword: "contains",
    type: "array",
    schemaType: ["object", "boolean"],
    before: "uniqueItems",
    trackErrors: true,
    code: contains,
    error: { message: "", params: ({ params }) => _`{minContains: ${params.min}}` },
  },
];

const SILENT = { compositeRule: true, createErrors: false, allErrors: false } as const;

function anyOf(cxt: KeywordCxt): void {
  const { gen } = cxt;
  const branches: readonly unknown[] = cxt.schema;
  const valid = gen.let("valid", false);
  const isMatch = gen.name("_valid");
  gen.block(() => {
    for (const [index] of branches.entries()) {
      const branch = cxt.subschema({ keyword: "anyOf", schemaProp: index, ...SILENT }, isMatch);
      gen.assign(valid, _`${valid} || ${isMatch}`);
      gen.if(_`!${isMatch}`, () => cxt.reset());
      // What a branch has evaluated counts even where another has matched, so then all branches are looked at.
      if (!cxt.mergeValidEvaluated(branch, isMatch)) gen.if(_`!${valid}`);
    }
  });
  fail(cxt, _`${valid}`);
}

function oneOf(cxt: KeywordCxt): void {
  const { gen } = cxt;
  const branches: readonly unknown[] = cxt.schema;
  const valid = gen.let("valid", false);
  const passing = gen.let("passing", null);
  const isMatch = gen.name("_valid");
  cxt.setParams({ passing });
  gen.block(() => {
    for (const [index] of branches.entries()) {
      const branch = cxt.subschema({ keyword: "oneOf", schemaProp: index, ...SILENT }, isMatch);
      gen.if(_`!${isMatch}`, () => cxt.reset());
      // The second match ends the search: the `else` holds all further branches.
      if (index > 0) {
        gen.if(_`${isMatch} && ${valid}`).assign(valid, false).assign(passing, _`[${passing}, ${index}]`).else();
      }
      gen.if(isMatch, () => {
        gen.assign(valid, true).assign(passing, index);
        cxt.mergeEvaluated(branch, Name);
      });
    }
  });
  fail(cxt, _`${valid}`);
}

function contains(cxt: KeywordCxt): void {
  const { gen, data, parentSchema } = cxt;
  const min: number = parentSchema.minContains ?? 1;
  const max: number | undefined = parentSchema.maxContains;
  const found = gen.let("found", 0);
  const isMatch = gen.name("_valid");
  gen.forRange("i", 0, _`${data}.length`, (index) => {
    cxt.subschema({ keyword: "contains", dataProp: index, dataPropType: Type.Num, ...SILENT }, isMatch);
    gen.if(
      isMatch,
      () => gen.code(_`${found}++`),
      () => cxt.reset(),
    );
    gen.if(max === undefined ? _`${found} >= ${min}` : _`${found} > ${max}`, () => gen.break());
  });
  cxt.setParams({ min });
  fail(cxt, max === undefined ? _`${found} >= ${min}` : _`${found} >= ${min} && ${found} <= ${max}`);
}

/** Reports the keyword itself where the condition does not hold. */
function fail(cxt: KeywordCxt, condition: ReturnType<typeof _>): void {
  cxt.result(
    condition,
    () => cxt.reset(),
    () => cxt.error(true),
  );
}
