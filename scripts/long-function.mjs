/**
 * `npm run long-functions`: holds functions to a screen, and the list of those that are longer to shrink. The length is
 * that of oxlint's `max-lines-per-function`: blank lines and comments are not counted, functions inside are.
 *
 * LONG-1: an exception in `.oxlintrc.json` is one file, and its `max` the length of the file's longest function: where
 *         that has become shorter the `max` goes down with it, and where it fits the screen the exception goes.
 * LONG-2: in a test file every function fits the screen too, but for the callbacks of `describe`: those are lists of
 *         tests, and a list is no harder to read for being long. oxlint cannot tell them apart, so its own rule is off
 *         in these files and they are read here.
 *
 * That no other file has a longer function is oxlint's part, with the lint.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { capture, root, runScript, StepFailed } from "./step.mjs";

const rule = "max-lines-per-function";
const testFile = /\.test\.tsx?$/;
/** What stands before a function that is the argument of `describe`. */
const beforeDescribed = /\bdescribe(?:\.\w+)?\(\s*(?:`[^`]*`|"[^"]*"|[^,"`]*),\s*(?:\{[^{}]*\},\s*)?$/;

/** What the lint's configuration says of long functions: the bound of all, and the files that may go beyond it. */
export function readBound(config) {
  const { max } = config.rules[rule][1];
  const exceptions = config.overrides.flatMap(({ files, rules }) => {
    const own = rules[rule];
    return Array.isArray(own) ? files.map((file) => ({ file, max: own[1].max })) : [];
  });
  return { max, exceptions };
}

/** What breaks a rule, one sentence each. `long` has every function above `max`: its file, lines and the text before it. */
export function longFunctionFaults({ exceptions, max }, long) {
  const faults = [];
  for (const exception of exceptions) {
    const lengths = long.filter(({ file }) => file === exception.file).map(({ lines }) => lines);
    const longest = Math.max(0, ...lengths);
    if (longest === 0)
      faults.push(`LONG-1: ${exception.file} has no function above ${max} lines; its exception can go`);
    else if (longest < exception.max)
      faults.push(
        `LONG-1: the longest function of ${exception.file} has ${longest} lines; its max of ${exception.max} goes down to that`,
      );
  }
  for (const { before, file, line, lines } of long) {
    if (!testFile.test(file) || beforeDescribed.test(before)) continue;
    faults.push(`LONG-2: ${file}:${line} begins a function of ${lines} lines; ${max} fit a screen`);
  }
  return faults;
}

/** Every function of the sources with more than `max` lines, as oxlint counts them. */
async function longFunctions(config, max) {
  const folder = mkdtempSync(join(tmpdir(), "trialmesh-long-"));
  const ownConfig = join(folder, "oxlintrc.json");
  writeFileSync(
    ownConfig,
    JSON.stringify({
      plugins: ["eslint"],
      categories: { correctness: "off" },
      ignorePatterns: config.ignorePatterns,
      rules: { [rule]: ["error", { ...config.rules[rule][1], max }] },
    }),
  );
  try {
    const oxlint = join(root, "node_modules", "oxlint", "bin", "oxlint");
    const run = await capture(process.execPath, [oxlint, "-c", ownConfig, "-f", "json"]);
    return readDiagnostics(run.stdout);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readDiagnostics(stdout) {
  let diagnostics;
  try {
    ({ diagnostics } = JSON.parse(stdout));
  } catch {
    throw new StepFailed(`oxlint gave no JSON: ${stdout.slice(0, 300)}`);
  }
  return diagnostics.map(({ filename, labels, message }) => {
    const lines = /too many lines \((\d+)\)/.exec(message)?.[1];
    const span = labels[0]?.span;
    if (lines === undefined || span === undefined)
      throw new StepFailed(`oxlint tells of long functions in other words: ${message}`);
    // Its offsets count bytes.
    const before = readFileSync(join(root, filename)).subarray(0, span.offset).toString("utf8");
    return { file: filename, line: span.line, lines: Number(lines), before };
  });
}

if (process.argv[1] !== undefined && basename(process.argv[1]) === "long-function.mjs")
  await runScript(async () => {
    const config = JSON.parse(readFileSync(join(root, ".oxlintrc.json"), "utf8"));
    const bound = readBound(config);
    const long = await longFunctions(config, bound.max);
    const gone = bound.exceptions.filter(({ file }) => !existsSync(join(root, file)));
    const faults = [
      ...gone.map(({ file }) => `LONG-1: ${file} is an exception and no file; each is named by its path`),
      ...longFunctionFaults(
        { ...bound, exceptions: bound.exceptions.filter((each) => !gone.includes(each)) },
        long,
      ),
    ];
    for (const fault of faults) process.stdout.write(`${fault}\n`);
    process.stdout.write(
      `${bound.exceptions.length} files may have a function above ${bound.max} lines, ${faults.length} faults\n`,
    );
    return faults.length === 0 ? 0 : 1;
  });
