// NATS subject matching, for the in-memory bus. Not a validator: both sides are taken to be well formed.

/** True where `subject` falls under `pattern`: `*` stands for one token, a final `>` for one or more. */
export function matchesSubject(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  // Most patterns differ before their first wildcard.
  const fixed = pattern.search(/[*>]/);
  if (fixed < 0 || !subject.startsWith(pattern.slice(0, fixed))) return false;
  const wanted = pattern.split(".");
  const tokens = subject.split(".");
  for (const [index, token] of wanted.entries()) {
    if (token === ">") return tokens.length > index;
    if (index >= tokens.length) return false;
    if (token !== "*" && token !== tokens[index]) return false;
  }
  return wanted.length === tokens.length;
}
