/**
 * A reporter for node:test that writes one line of JSON per test begun and per outcome, for `test-outcome.mjs` to count and
 * tell. A run that ends without its `end` line did not reach its end.
 */
import { inspect } from "node:util";

export default async function* report(events) {
  let testsSince = 0;
  for await (const { type, data } of events) {
    if (type === "test:dequeue") {
      yield line({ type: "begin", name: data.name });
      continue;
    }
    // A suite that fails before any of its tests is in none of the runner's counts.
    const uncounted =
      type === "test:fail" && data.details.type === "suite" && data.nesting === 0 && testsSince === 0;
    const isEmpty =
      type === "test:pass" &&
      data.nesting === 0 &&
      data.skip === undefined &&
      data.details.type === "suite" &&
      testsSince === 0;
    if (isEmpty) yield line({ type: "empty", name: data.name });
    if (type === "test:pass" || type === "test:fail") {
      testsSince = data.nesting === 0 ? 0 : testsSince + (data.details.type === "suite" ? 0 : 1);
      yield line(outcome(type === "test:fail", data, uncounted));
    } else if (type === "test:diagnostic" && data.message.startsWith("Error:")) {
      yield line({ type: "stray", text: data.message });
    } else if (type === "test:summary") {
      yield line({ type: "end", counts: data.counts, success: data.success });
    }
  }
}

function outcome(failed, data, uncounted) {
  const { error } = data.details;
  const skipWhy = typeof data.skip === "string" ? data.skip : "";
  return {
    type: failed ? "fail" : data.skip === undefined ? "pass" : "skip",
    name: data.name,
    isSuite: data.details.type === "suite",
    ms: data.details.duration_ms,
    file: data.file,
    line: data.line,
    uncounted,
    todo: data.todo !== undefined,
    why: failed ? errorText(error) : skipWhy,
    failureType: error?.failureType,
  };
}

function line(value) {
  return `${JSON.stringify(value)}\n`;
}

/** The cause a test gave, without the runner's own wrapper around it. */
function errorText(error) {
  const cause = error?.cause ?? error;
  return cause instanceof Error
    ? (cause.stack ?? cause.message)
    : typeof cause === "string"
      ? cause
      : inspect(cause);
}
