/**
 * A zod issue as a sentence for the writer of a sweep file: what stands there, what would be right,
 * and the nearest right name. Knows zod's codes; knows nothing of sweeps.
 */
import * as z from "zod";
import { nearestName, suggestion } from "../../protocol/name.ts";
import { entriesOf } from "./entries-of.ts";
import type { LocatedYaml, Path } from "./located-yaml.ts";
import type { Problem } from "./problem.ts";
import { exactMax, kindText } from "./scalar.ts";

type Issue = z.core.$ZodIssue;
type JsonSchema = z.core.JSONSchema.JSONSchema;

/**
 * Parses `value`, which stands at `base` in the file; the parsed value, or null and its problems added. `elsewhere`: keys
 * that belong to another form of file, with what is said of them here.
 */
export function parseAt<T>(
  schema: z.ZodType<T>,
  value: unknown,
  yaml: LocatedYaml,
  base: Path,
  problems: Problem[],
  elsewhere: Readonly<Record<string, string>> = {},
): T | null {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues.flatMap(meantIssues)) {
    const inside = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
    if (issue.code === "unrecognized_keys") {
      const known = keysAt(schema, value, inside);
      for (const key of issue.keys) {
        const field = [...base, ...inside, key];
        const other = inside.length === 0 && Object.hasOwn(elsewhere, key) ? elsewhere[key] : undefined;
        const message = other ?? `unknown key, ${suggestion(key, known)}`;
        problems.push({ line: yaml.lineOf(field), field, message });
      }
      continue;
    }
    const field = [...base, ...inside];
    const message = unquotedText(issue, yaml, field) ?? explain(issue, valueAt(value, inside));
    problems.push({ line: yaml.lineOf(field), field, message });
  }
  return null;
}

/** Of a union those of the one form that could be meant: what stands there is of its kind, and only something in it is not right. */
function meantIssues(issue: Issue): readonly Issue[] {
  if (issue.code !== "invalid_union" || choicesOf(issue).length > 0) return [issue];
  const fitting = issue.errors.filter((form) => !isOtherKind(form));
  const [only] = fitting.length === 1 ? fitting : [];
  if (only === undefined) return [issue];
  return only.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })).flatMap(meantIssues);
}

function isOtherKind(form: readonly Issue[]): boolean {
  return form.some(({ code, path }) => code === "invalid_type" && path.length === 0);
}

/** Said where text is wanted and its writer left the quotes out, so that YAML makes something else of it. */
function unquotedText(issue: Issue, yaml: LocatedYaml, field: Path): string | null {
  if (!wantsText(issue)) return null;
  const node = yaml.nodeAt(field);
  if (node?.kind !== "scalar" || node.scalar.kind === "text" || node.scalar.kind === "null") return null;
  return `should be text, and ${node.scalar.source} is ${kindText(node.scalar)} here; put it in quotes`;
}

function wantsText(issue: Issue): boolean {
  if (issue.code === "invalid_type") return issue.expected === "string";
  return (
    issue.code === "invalid_union" &&
    choicesOf(issue).length === 0 &&
    issue.errors.every(isOtherKind) &&
    issue.errors.some((form) => form.some((inner) => inner.path.length === 0 && wantsText(inner)))
  );
}

function explain(issue: Issue, found: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      if (found === undefined) return `is missing; it should be ${typeName(issue.expected)}`;
      return `should be ${typeName(issue.expected)}, not ${describe(found)}`;
    case "invalid_value": {
      if (found === undefined)
        return `is missing; it should be one of ${issue.values.map(String).join(", ")}`;
      return noneOf(found, issue.values.map(String));
    }
    case "too_small":
      if (issue.origin === "array") return `needs at least ${String(issue.minimum)} entry`;
      if (issue.origin === "string") return "must not be empty";
      return `${describe(found)} is too low; it must be ${issue.inclusive === false ? "above" : "at least"} ${String(issue.minimum)}`;
    case "too_big":
      // Of a text or a list its size is told, and not the whole of it.
      if (typeof found === "string")
        return `has ${found.length} characters; at most ${String(issue.maximum)} are allowed`;
      if (Array.isArray(found))
        return `has ${found.length} entries; at most ${String(issue.maximum)} are allowed`;
      return `${describe(found)} is too high; it must be ${issue.inclusive === false ? "below" : "at most"} ${String(issue.maximum)}`;
    case "invalid_union": {
      const choices = choicesOf(issue);
      if (choices.length > 0) {
        if (found === undefined) return `is missing; it should be one of ${choices.join(", ")}`;
        return noneOf(found, choices);
      }
      if (found !== undefined && issue.errors.length > 0 && issue.errors.every(isOtherKind)) {
        const kinds = issue.errors.flatMap((form) =>
          form.flatMap((inner) => (inner.code === "invalid_type" ? [typeName(inner.expected)] : [])),
        );
        return `should be ${[...new Set(kinds)].join(" or ")}, not ${describe(found)}`;
      }
      return found === undefined ? "is missing" : `${describe(found)} does not belong here`;
    }
    case "invalid_format":
    case "custom":
      return `${issue.code === "custom" ? "" : `${describe(found)}: `}${issue.message}`;
    default:
      return issue.message;
  }
}

function noneOf(found: unknown, choices: readonly string[]): string {
  const nearest = nearestName(String(found), choices);
  const hint = nearest === null ? "" : `; did you mean "${nearest}"?`;
  return `${describe(found)} is none of ${choices.join(", ")}${hint}`;
}

/** The values a discriminator may have. */
function choicesOf(issue: Issue): string[] {
  return issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options)
    ? issue.options.map(String)
    : [];
}

/** A value is quoted so that it is found again, not to be read in full. */
const shownCharactersMax = 200;

export function describe(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "bigint")
    return `${cut(String(value))}, which has more digits than numbers keep (up to ${exactMax}); in quotes it is text`;
  if (typeof value === "number") return String(value);
  return cut(JSON.stringify(value) ?? "nothing");
}

function cut(text: string): string {
  return text.length > shownCharactersMax ? `${text.slice(0, shownCharactersMax)}…` : text;
}

function typeName(expected: string): string {
  switch (expected) {
    case "int":
      return "a whole number";
    case "number":
      return "a number";
    case "string":
      return "text";
    case "array":
      return "a list";
    case "boolean":
      return "true or false";
    default:
      return "a mapping";
  }
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const part of path) at = entriesOf(at).get(String(part));
  return at;
}

/** The keys a mapping at `path` may have, from the schema's JSON Schema; of a union, those of the form in use. */
function keysAt(schema: z.ZodType, value: unknown, path: Path): string[] {
  let nodes: JsonSchema[] = [z.toJSONSchema(schema, { unrepresentable: "any", io: "input" })];
  let at = value;
  nodes = formsFor(nodes, at);
  for (const part of path) {
    nodes = nodes.flatMap((node) => childrenOf(node, part));
    at = valueAt(at, [part]);
    nodes = formsFor(nodes, at);
  }
  return [...new Set(nodes.flatMap((node) => Object.keys(node.properties ?? {})))];
}

function childrenOf(node: JsonSchema, part: string | number): JsonSchema[] {
  const found =
    node.properties?.[String(part)] ?? (typeof part === "number" ? node.items : node.additionalProperties);
  return typeof found === "object" && !Array.isArray(found) ? [found] : [];
}

function formsFor(nodes: readonly JsonSchema[], value: unknown): JsonSchema[] {
  return nodes.flatMap((node) => {
    const forms = (node.oneOf ?? node.anyOf ?? []).filter((form) => typeof form === "object");
    if (forms.length === 0) return [node];
    const fitting = forms.filter((form) =>
      Object.entries(form.properties ?? {}).every(
        ([key, property]) =>
          typeof property !== "object" ||
          property.const === undefined ||
          property.const === valueAt(value, [key]),
      ),
    );
    return fitting.length > 0 ? fitting : forms;
  });
}
