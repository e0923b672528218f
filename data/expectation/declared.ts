/**
 * Expectations as a dataset file has them: a list of `kind: {…}`, or the bare kind where nothing needs to be said.
 * Parsing keeps the path of what is wrong, so that a reader of files can name the line.
 */
import * as z from "zod";
import { anyValue, storedText, storedList, storedRecord } from "../../protocol/bound.ts";
import { suggestion } from "../../protocol/name.ts";
import { expectationKinds, expectationSchema, expectationSchemas, type Expectation } from "./expectation.ts";

const expectationsMax = 200;

/** `range: {column: age, min: 0}` becomes `{kind: "range", column: "age", min: 0}`; what has a `kind` stays as it is. */
const declaredExpectationSchema = anyValue.transform((raw, context): Expectation => {
  const complain = (message: string, path: (string | number)[]) => {
    context.addIssue({ code: "custom", message, path });
    return z.NEVER;
  };
  const given: unknown = typeof raw === "string" ? { [raw]: {} } : raw;
  const read = storedRecord(storedText, anyValue).safeParse(given);
  if (!read.success) return complain("should be one expectation, such as not-null: {column: text}", []);
  const entry = read.data;
  const keys = Object.keys(entry);
  const [first] = keys;
  const flat = typeof entry["kind"] === "string";
  if (first === undefined || (!flat && keys.length !== 1))
    return complain(`should be one expectation with its settings in {}, and has ${keys.length} keys`, []);
  const kind = flat ? String(entry["kind"]) : first;
  if (!expectationKinds.includes(kind))
    return complain(`no expectation is called "${kind}"; ${suggestion(kind, expectationKinds)}`, [
      flat ? "kind" : kind,
    ]);
  const settings = flat ? accepted(entry) : accepted(entry[first] ?? {});
  if (settings === null) return complain("should hold its settings as {name: value}", [kind]);
  const parsed = expectationSchema.safeParse({ ...settings, kind });
  if (parsed.success) return parsed.data;
  const base = flat ? [] : [kind];
  for (const issue of parsed.error.issues) {
    if (issue.code === "unrecognized_keys") {
      const known = settingsOf(kind);
      for (const key of issue.keys)
        complain(`unknown setting, ${suggestion(key, known)}`, [...base, ...plainPath(issue.path), key]);
    } else context.addIssue({ ...issue, path: [...base, ...plainPath(issue.path)] });
  }
  return z.NEVER;
});

function plainPath(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((part) => (typeof part === "symbol" ? String(part) : part));
}

function settingsOf(kind: string): string[] {
  const schema = new Map<string, z.ZodObject>(Object.entries(expectationSchemas)).get(kind);
  return Object.keys(schema?.shape ?? {}).filter((name) => name !== "kind");
}

export const expectationsSchema = storedList(declaredExpectationSchema).max(expectationsMax);

function accepted(value: unknown): Readonly<Record<string, unknown>> | null {
  const read = storedRecord(storedText, anyValue).safeParse(value);
  return read.success ? read.data : null;
}
