/**
 * `npm test [-- --slow] [PATH…]`: brings in what is missing, runs the compiled tests and ends with the line
 * `N passed, N failed`. `--slow` shows what took longest. However it ends, nothing of it goes on.
 */
import { availableParallelism } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { outputOf, prepareCode, prepareServer } from "./prepare.mjs";
import { prepareProbe, prepareRuntime } from "./runtime.mjs";
import { capture, root, runScript, say, tail } from "./step.mjs";
import { readFilters, testGroups, testsOf } from "./test-files.mjs";
import { outcomeOf, skipsOf, slowest } from "./test-outcome.mjs";
import { inParallel, openRun, runFile, watchRun } from "./test-run.mjs";

const cores = availableParallelism();
/** Tests that start meshes wait for much of their time: for leases to end and for processes to start. */
const width = cores * 2;

await runScript(async (parameters) => {
  const paths = parameters.filter((word) => word !== "--slow");
  const total = { passed: 0, failed: 0, skipped: 0 };
  const run = openRun();
  try {
    const tools = await prepare(paths.length === 0);
    await runTests({ ...tools, run }, readFilters(paths), total, paths.length < parameters.length);
  } catch (error) {
    process.stdout.write(`${error.message}\n`);
    total.failed += 1;
  }
  const left = await run.close();
  if (left.length > 0)
    process.stdout.write(
      `tests left ${left.length} processes behind, which were ended:\n${left.join("\n")}\n`,
    );
  if (total.skipped > 0) process.stdout.write(`${total.skipped} skipped\n`);
  process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
  return total.failed === 0 ? 0 : 1;
});

/** A few chosen files should not wait for a gigabyte, as the `whole` does; what is there already is used either way. */
async function prepare(whole) {
  const node = await prepareCode();
  const [server] = await Promise.all([prepareServer(node), whole ? prepareRuntime(node) : null]);
  // Beside the tests that need no agent: it keeps one processor busy, and those another.
  const measured = whole ? prepareProbe(node) : Promise.resolve();
  const env = { ...process.env, TRIALMESH_NATS_SERVER: server, PATH: await pathPastShims() };
  delete env.NODE_TEST_CONTEXT;
  delete env.NODE_OPTIONS;
  // Ink draws otherwise where CI is set; the tests that mean that set it themselves.
  delete env.CI;
  return { env, node, measured };
}

/** Every agent asks for Python's version: one that a shim has to look for each time is put first as it is. */
async function pathPastShims() {
  const path = process.env.PATH ?? "";
  const asked = await capture("python3", ["-c", "import sys; print(sys.executable)"], { timeoutMs: 10_000 });
  const found = asked.stdout.trim();
  return asked.code === 0 && found !== "" ? `${dirname(found)}${delimiter}${path}` : path;
}

async function runTests(tools, filters, total, showSlow) {
  const { run } = tools;
  const started = performance.now();
  const timed = [];
  const jobs = testGroups.flatMap((group) => jobsOf(tools, group, testsOf(group, filters), total, timed));
  say(`tests: ${jobs.length} processes, ${width} at a time`);
  const silent = await Promise.race([watchRun(run), inParallel(run, jobs, width)]);
  for (const { name, output, why } of silent ?? []) {
    total.failed += 1;
    process.stdout.write(`FAILED ${name}: ${why}\n${tail(output, 20)}\n`);
  }
  if (showSlow) process.stdout.write(`the slowest of all:\n${slowest(timed).join("\n")}\n`);
  process.stdout.write(`${((performance.now() - started) / 1000).toFixed(1)} s of tests\n`);
}

/** The group's processes, each a function that runs one and counts and tells what came of it. */
function jobsOf({ run, measured, ...tools }, group, files, total, timed) {
  const job = (name, words) => async () => {
    if (!group.shared) await measured;
    const started = performance.now();
    const ran = await runFile(run, { ...tools, name, words });
    const { said, ...counts } = outcomeOf(ran);
    for (const key of Object.keys(total)) total[key] += counts[key];
    for (const text of [...said, ...skipsOf(ran.lines)]) process.stdout.write(`${text}\n`);
    timed.push(...timesOf(name, ran.lines, performance.now() - started));
  };
  if (!group.shared) return files.map((file) => job(file, [outputOf(file)]));
  const shards = Math.min(cores, files.length);
  return Array.from({ length: shards }, (_, shard) => {
    const part = files.filter((_, index) => index % shards === shard).map(outputOf);
    const name = shards === 1 ? group.name : `${group.name} ${shard + 1} of ${shards}`;
    return job(name, [join(root, "scripts", "test-shared.mjs"), ...part]);
  });
}

/** What each test took, and each process or file of a shared one. */
function timesOf(name, lines, ms) {
  const outcomes = lines.filter((line) => line.ms !== undefined);
  const tests = outcomes
    .filter(({ isSuite }) => !isSuite)
    .map((test) => ({ name: `${name}: ${test.name}`, ms: test.ms }));
  const files = outcomes
    .filter((suite) => suite.isSuite && suite.name.startsWith(root))
    .map((suite) => ({ name: relative(join(root, "dist"), suite.name), ms: suite.ms }));
  return [...tests, ...files, { name, ms }];
}
