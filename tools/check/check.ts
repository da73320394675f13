/** One thing that `npm run check` looks at. */
export interface Check {
  /** What `node tools/check.ts <name>` calls it. */
  name: string;
  /** Looks, and tells every problem. Throws only where it cannot look at all. */
  run(): Promise<Outcome>;
}

/** What a check found. It passed where there are no problems. */
export interface Outcome {
  /** Each a complete text, with file and line where there is one. */
  problems: string[];
  /** What is worth saying though nothing is wrong. */
  note?: string;
}
