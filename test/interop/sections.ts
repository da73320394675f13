/**
 * The output of an example program by section: each begins with a line `== Title`. All examples print the same sections,
 * so that their tests can ask the same of them.
 */
export function sections(output: string): Record<string, string> {
  const parts = output.split(/^== (.+)\n/m).slice(1);
  return Object.fromEntries(
    parts.flatMap((title, index) => (index % 2 === 0 ? [[title, (parts[index + 1] ?? "").trim()]] : [])),
  );
}
