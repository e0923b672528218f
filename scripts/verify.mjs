/**
 * `npm run verify`: types, lint, structure, dead code, format, then the tests. Stops at the first that is red; its last line
 * is `N passed, N failed` either way, for whoever counts.
 */
import { join } from "node:path";
import { prepareNode, preparePackages } from "./prepare.mjs";
import { capture, foreground, root, runScript, say, tail } from "./step.mjs";

const bin = (...path) => join(root, "node_modules", ...path);

const checks = [
  {
    name: "types",
    program: bin("typescript", "bin", "tsc"),
    parameters: ["-p", "tsconfig.json", "--noEmit", "--incremental", "false"],
  },
  { name: "lint", program: bin("oxlint", "bin", "oxlint"), parameters: ["--type-aware", "--deny-warnings"] },
  { name: "structure", program: join(root, "scripts", "structure.mjs"), parameters: [] },
  { name: "long functions", program: join(root, "scripts", "long-function.mjs"), parameters: [] },
  { name: "dead code", program: bin("knip", "bin", "knip.js"), parameters: ["--no-progress"] },
  {
    name: "dead code in production",
    program: bin("knip", "bin", "knip.js"),
    parameters: ["--production", "--no-progress"],
  },
  { name: "format", program: bin("oxfmt", "bin", "oxfmt"), parameters: ["--check"] },
];

await runScript(async () => {
  await preparePackages();
  const node = await prepareNode();
  for (const { name, program, parameters } of checks) {
    const started = performance.now();
    const checked = await capture(node, [program, ...parameters]);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (checked.code !== 0) {
      process.stdout.write(`${tail(checked.output, 200)}\n${name}: red (${seconds} s)\n0 passed, 1 failed\n`);
      return 1;
    }
    process.stdout.write(`${name}: green (${seconds} s)\n`);
  }
  say("tests");
  return foreground(process.execPath, [join(root, "scripts", "test.mjs")], { cwd: root });
});
