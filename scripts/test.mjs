/**
 * `npm test [-- PATH…]`: brings in what is missing, runs the compiled tests and ends with the line
 * `N passed, N failed`. A process that ends before its tests do counts as a failure.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { outputOf, prepareCode, prepareServer } from "./prepare.mjs";
import { prepareProbe, prepareRuntime } from "./runtime.mjs";
import { capture, root, runScript, say, tail } from "./step.mjs";
import { readFilters, testGroups, testsOf } from "./test-files.mjs";

const groupTimeoutMs = 480_000;
const testTimeoutMs = 120_000;
/** Live tests mostly wait, for leases to end and for processes to start. */
const liveConcurrency = 4;

await runScript(async (parameters) => {
  const total = { passed: 0, failed: 0, skipped: 0 };
  try {
    await runGroups(readFilters(parameters), total);
  } catch (error) {
    process.stdout.write(`${error.message}\n`);
    total.failed += 1;
  }
  if (total.skipped > 0) process.stdout.write(`${total.skipped} skipped\n`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 ? 0 : 1;
});

async function runGroups(filters, total) {
  const node = await prepareCode();
  // A few chosen files should not wait for a gigabyte; what is there already is used either way.
  const whole = filters.length === 0;
  const [server] = await Promise.all([prepareServer(node), whole ? prepareRuntime(node) : null]);
  if (whole) await prepareProbe(node);
  const env = { ...process.env, TRIALMESH_NATS_SERVER: server };
  delete env.NODE_TEST_CONTEXT;
  delete env.NODE_OPTIONS;
  // Ink draws otherwise where CI is set; the tests that mean that set it themselves.
  delete env.CI;
  for (const group of testGroups) {
    const files = testsOf(group, filters);
    if (files.length === 0) continue;
    say(`tests: ${group.folders.join(", ")}`);
    const started = performance.now();
    const outcome = await runGroup(node, group, files, env);
    for (const key of Object.keys(total)) total[key] += outcome[key];
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(
      `${group.name}: ${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped (${seconds} s)\n`,
    );
  }
}

async function runGroup(node, group, files, env) {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-results-"));
  const results = join(folder, "results.ndjson");
  try {
    const run = await capture(
      node,
      [
        ...(group.shared
          ? []
          : ["--test", `--test-concurrency=${liveConcurrency}`, `--test-timeout=${testTimeoutMs}`]),
        `--test-reporter=${join(root, "scripts", "test-reporter.mjs")}`,
        `--test-reporter-destination=${results}`,
        ...(group.shared ? [join(root, "scripts", "test-shared.mjs")] : []),
        ...files.map(outputOf),
      ],
      { env, timeoutMs: groupTimeoutMs },
    );
    return tell(group, readLines(results), run);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readLines(path) {
  try {
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((text) => text !== "")
      .map((text) => JSON.parse(text));
  } catch {
    return [];
  }
}

/** Prints what failed and what was skipped, and gives the counts. */
function tell(group, lines, run) {
  const end = lines.find((line) => line.type === "end");
  // A parent fails because its subtests did: those are told, not it.
  const failures = lines.filter(
    (line) => line.type === "fail" && !line.todo && line.failureType !== "subtestsFailed",
  );
  for (const failure of failures) {
    const place =
      failure.file === undefined ? "" : ` (${relative(join(root, "dist"), failure.file)}:${failure.line})`;
    process.stdout.write(`FAILED ${failure.name}${place}\n${tail(failure.why, 30)}\n`);
  }
  const reasons = new Map();
  for (const skip of lines.filter((line) => line.type === "skip")) {
    reasons.set(skip.why, (reasons.get(skip.why) ?? 0) + 1);
  }
  for (const [why, count] of reasons) process.stdout.write(`skipped ${count}: ${why || "no reason given"}\n`);

  if (end === undefined) {
    process.stdout.write(
      `FAILED the test process ended before its tests did (${run.code === null ? "killed or out of time" : `exit code ${run.code}`})\n${tail(run.output, 30)}\n`,
    );
    return { passed: 0, failed: Math.max(1, failures.length), skipped: 0 };
  }
  const empty = lines.filter((line) => line.type === "empty");
  for (const { name } of empty)
    process.stdout.write(`FAILED ${relative(join(root, "dist"), name)}: no test ran in it\n`);
  const { failed, cancelled, skipped } = end.counts;
  // In a process of its own an empty file was counted as a test that passed.
  const passed = end.counts.passed - (group.shared ? 0 : empty.length);
  const broken = failed + cancelled + empty.length + failures.filter((failure) => failure.uncounted).length;
  // What a test left running can fail after it: no test's fault by the counts, and yet a failure.
  for (const stray of lines.filter((line) => line.type === "stray"))
    process.stdout.write(`FAILED ${stray.text}\n`);
  const hidden = broken === 0 && (run.code !== 0 || end.success === false) ? 1 : 0;
  if (broken + hidden > 0) {
    const said =
      lines
        .filter((line) => line.type === "said")
        .map((line) => line.text)
        .join("") + run.output;
    if (said.trim() !== "") process.stdout.write(`what the tests printed last:\n${tail(said, 20)}\n`);
  }
  return { passed, failed: broken + hidden, skipped };
}
