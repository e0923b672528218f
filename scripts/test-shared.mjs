/**
 * Runs the test files given as parameters in this one process, each as a suite of its own: hooks at
 * the top of a file stay with that file, and a file that fails to load is a failure. (The runner's
 * `--test-isolation=none` shares the hooks between files and is silent about a failed load.)
 */
import { describe } from "node:test";
import { pathToFileURL } from "node:url";

for (const file of process.argv.slice(2)) {
  describe(file, () => import(pathToFileURL(file).href));
}
