/** A value from outside looked into like a mapping: its fields by name, none where it is no object. */
export function entriesOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(value !== null && typeof value === "object" ? Object.entries(value) : []);
}
