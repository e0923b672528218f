/**
 * What is wrong with a value from outside, as the end of a sentence that begins with where: for schemas that say nothing of their
 * own. Not for files that people write, whose problems are told with their lines (`spec/yaml`).
 */
import type * as z from "zod";

type RawIssue = Parameters<z.core.$ZodErrorMap>[0];

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  null: "null",
};

const units: Readonly<Record<string, string>> = { string: " characters", array: " entries" };

export function issueSentence(issue: RawIssue): string {
  switch (issue.code) {
    case "invalid_type": {
      const kind = kinds[issue.expected] ?? "something else";
      return issue.input === undefined ? `is missing; it should be ${kind}` : `should be ${kind}`;
    }
    case "too_big":
      return `should be ${issue.inclusive === false ? "less than" : "at most"} ${sizeOf(issue.maximum, issue.origin)}`;
    case "too_small":
      return `should be ${issue.inclusive === false ? "above" : "at least"} ${sizeOf(issue.minimum, issue.origin)}`;
    case "invalid_value":
      return `should be ${issue.values.map(String).join(" or ")}`;
    case "unrecognized_keys":
      return `has ${issue.keys.map((key) => JSON.stringify(key)).join(", ")}, which is not known there`;
    default:
      return "is not of the form that belongs there";
  }
}

function sizeOf(bound: number | bigint, origin: string): string {
  return `${bound}${units[origin] ?? ""}`;
}
