/**
 * What Kubernetes makes of `$(NAME)` in a container's words and variables: the value of a variable that the container names,
 * else what is written. `$$` is a dollar sign. It knows no parameters.
 */

/** Variables may name those that stand before them. */
export function expandedVariables(
  given: readonly (readonly [string, string])[],
): ReadonlyMap<string, string> {
  const known = new Map<string, string>();
  for (const [name, value] of given) known.set(name, withVariables(value, known));
  return known;
}

export function withVariables(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\$|\$\(([^()]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? "$" : (variables.get(name) ?? whole),
  );
}
