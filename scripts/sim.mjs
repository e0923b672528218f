/** `npm run sim -- --seeds N | --seed N`: the whole mesh in one process under a seed. */
import { join } from "node:path";
import { prepareCode } from "./prepare.mjs";
import { foreground, root, runScript } from "./step.mjs";

await runScript(async (parameters) => {
  const node = await prepareCode();
  return foreground(node, [join(root, "dist", "tests", "sim", "main.js"), ...parameters]);
});
