/** What came of the processes of a run: counts, failures with their causes, what was slow. It prints and runs nothing. */
import { join, relative } from "node:path";
import { root, tail } from "./step.mjs";

const slowShown = 10;

/** The words for one process's outcome, and its counts. A process that ends before its tests do is a failure. */
export function outcomeOf({ code, lines, name, output, signal }) {
  const said = [];
  const end = lines.find((line) => line.type === "end");
  // A parent fails because its subtests did: those are told, not it.
  const failures = lines.filter(
    (line) => line.type === "fail" && !line.todo && line.failureType !== "subtestsFailed",
  );
  for (const failure of failures) {
    const place =
      failure.file === undefined ? "" : ` (${relative(join(root, "dist"), failure.file)}:${failure.line})`;
    said.push(`FAILED ${failure.name}${place}\n${tail(failure.why, 30)}`);
  }
  if (end === undefined) {
    const how = code === null ? (signal ?? "killed") : `exit code ${code}`;
    said.push(`FAILED ${name}: its process ended before its tests did (${how})\n${tail(output, 30)}`);
    return { said, passed: 0, failed: Math.max(1, failures.length), skipped: 0 };
  }
  const empty = lines
    .filter((line) => line.type === "empty")
    .map((line) => relative(join(root, "dist"), line.name));
  const skips = lines.some(({ type }) => type === "skip");
  if (end.counts.tests === 0 && empty.length === 0 && !skips) empty.push(name);
  for (const file of empty) said.push(`FAILED ${file}: no test ran in it`);
  const { cancelled, failed, passed, skipped } = end.counts;
  const broken = failed + cancelled + empty.length + failures.filter((failure) => failure.uncounted).length;
  // What a test left running can fail after it: no test's fault by the counts, and yet a failure.
  for (const stray of lines.filter((line) => line.type === "stray")) said.push(`FAILED ${stray.text}`);
  const hidden = broken === 0 && (code !== 0 || end.success === false) ? 1 : 0;
  if (hidden > 0)
    said.push(
      `FAILED ${name}: its process ended with ${code === null ? (signal ?? "a signal") : `code ${code}`}`,
    );
  if (broken + hidden > 0 && output.trim() !== "")
    said.push(`what ${name} printed last:\n${tail(output, 20)}`);
  return { said, passed, failed: broken + hidden, skipped };
}

/** Why tests were skipped, a line for each reason. */
export function skipsOf(lines) {
  const reasons = new Map();
  for (const { why } of lines.filter(({ type }) => type === "skip"))
    reasons.set(why, (reasons.get(why) ?? 0) + 1);
  return [...reasons].map(([why, count]) => `skipped ${count}: ${why || "no reason given"}`);
}

/** The slowest of `timed` (`{ name, ms }`), a line each. */
export function slowest(timed) {
  const seconds = ({ ms }) => (ms / 1000).toFixed(1).padStart(6);
  return timed
    .toSorted((one, other) => other.ms - one.ms)
    .slice(0, slowShown)
    .map((one) => `${seconds(one)} s  ${one.name}`);
}
