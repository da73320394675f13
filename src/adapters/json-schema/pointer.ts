/** A JSON pointer (RFC 6901) one step longer. */
export function pointerTo(pointer: string, step: string | number): string {
  return `${pointer}/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

/** The number of steps of a JSON pointer. */
export function pointerDepth(pointer: string): number {
  let depth = 0;
  for (const character of pointer) if (character === "/") depth += 1;
  return depth;
}
