import type { MetadataCondition } from "../../../core/corpus.ts";

/** Conditions as SQL over `c.metadata`, with everything that came from a caller among the values. */
export interface FilterSql {
  /** Begins with ` AND`; empty where there are no conditions. */
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** @param from number of the first parameter that is free. */
export function filterSql(conditions: readonly MetadataCondition[], from: number): FilterSql {
  const values: unknown[] = [];
  const param = (value: unknown) => {
    values.push(value);
    return `$${from + values.length - 1}`;
  };
  const sql = conditions.map((condition) => ` AND ${conditionSql(condition, param)}`).join("");
  return { sql, values };
}

type Param = (value: unknown) => string;

function conditionSql(condition: MetadataCondition, param: Param): string {
  const { key } = condition;
  switch (condition.test) {
    case "in": {
      // The value itself, or a list that holds it.
      const wanted = condition.values.flatMap((value) => [{ [key]: value }, { [key]: [value] }]);
      return `c.metadata @> ANY (${param(wanted.map((object) => JSON.stringify(object)))}::jsonb[])`;
    }
    case "exists":
      return `${condition.exists ? "" : "NOT "}c.metadata ? ${param(key)}::text`;
    case "range":
      return rangeSql(condition, param);
  }
}

const OPERATORS = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/** The CASE keeps values of another kind from being read as what they are not. */
function rangeSql(range: Extract<MetadataCondition, { test: "range" }>, param: Param): string {
  const value = `c.metadata -> ${param(range.key)}::text`;
  const bounds = (["gt", "gte", "lt", "lte"] as const).flatMap((name) => {
    const bound = range[name];
    return bound === undefined ? [] : [{ operator: OPERATORS[name], bound }];
  });
  const isNumber = bounds.every(({ bound }) => typeof bound === "number");
  const read = isNumber ? "(item.value #>> '{}')::numeric" : `(item.value #>> '{}') COLLATE "C"`;
  const type = isNumber ? "numeric" : "text";
  const within = bounds.map(({ operator, bound }) => `${read} ${operator} ${param(bound)}::${type}`).join(" AND ");
  return `EXISTS (
    SELECT FROM jsonb_array_elements(
      CASE jsonb_typeof(${value}) WHEN 'array' THEN ${value} ELSE jsonb_build_array(${value}) END
    ) AS item (value)
    WHERE CASE WHEN jsonb_typeof(item.value) = '${isNumber ? "number" : "string"}' THEN ${within} ELSE false END
  )`;
}
