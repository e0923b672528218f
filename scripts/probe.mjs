/**
 * Measures this machine as an agent does when it starts, and remembers it there: agents of the tests that start
 * side by side then need not. Runs on compiled code.
 */
import { measureMachine } from "../dist/mesh/part/measure-machine.js";
import { root, runScript, say } from "./step.mjs";

await runScript(async () => {
  await measureMachine({ environment: process.env, folder: root, labels: {}, fresh: false, progress: say });
  return 0;
});
