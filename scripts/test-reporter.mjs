/**
 * A reporter for node:test that writes one line of JSON per outcome, for `test.mjs` to count and
 * tell. A run that ends without its `end` line did not reach its end.
 */
import { inspect } from "node:util";

export default async function* report(events) {
  let testsSince = 0;
  for await (const { type, data } of events) {
    // A suite that fails before any of its tests is in none of the runner's counts.
    const uncounted =
      type === "test:fail" && data.details.type === "suite" && data.nesting === 0 && testsSince === 0;
    if (
      type === "test:pass" &&
      data.nesting === 0 &&
      data.skip === undefined &&
      isEmptyFile(data, testsSince)
    ) {
      yield line({ type: "empty", name: data.name });
    }
    if (type === "test:pass" || type === "test:fail") {
      testsSince = data.nesting === 0 ? 0 : testsSince + (data.details.type === "suite" ? 0 : 1);
    }
    if (type === "test:fail" || (type === "test:pass" && data.skip !== undefined)) {
      yield line({
        type: type === "test:fail" ? "fail" : "skip",
        name: data.name,
        file: data.file,
        line: data.line,
        uncounted,
        todo: data.todo !== undefined,
        why:
          type === "test:fail"
            ? errorText(data.details.error)
            : typeof data.skip === "string"
              ? data.skip
              : "",
        failureType: data.details.error?.failureType,
      });
    } else if (type === "test:diagnostic" && data.message.startsWith("Error:")) {
      yield line({ type: "stray", text: data.message });
    } else if (type === "test:stderr" || type === "test:stdout") {
      yield line({ type: "said", file: data.file, text: data.message });
    } else if (type === "test:summary" && isWholeRun(data.file)) {
      yield line({ type: "end", counts: data.counts, success: data.success });
    }
  }
}

/** Besides the summary of the whole run there is one for each file that had a process of its own. */
function isWholeRun(file) {
  return file === undefined || file.endsWith("test-shared.mjs");
}

/**
 * True for a file in which no test ran, perhaps since it ended its own process. In a process of its
 * own such a file is reported as one passing test by the name of its path, else as an empty suite.
 */
function isEmptyFile(data, testsSince) {
  return data.details.type === "suite" ? testsSince === 0 : data.name === data.file;
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
