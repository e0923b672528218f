/** `npm run campaign -- NAME [flags]`: one long run against a live mesh; NAME is a file of `tests/campaign`. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { prepareCode } from "./prepare.mjs";
import { foreground, root, runScript, StepFailed } from "./step.mjs";

await runScript(async ([name = "", ...parameters]) => {
  const node = await prepareCode();
  const file = join(root, "dist", "tests", "campaign", `${name}.js`);
  if (!/^[a-z-]+$/.test(name) || !existsSync(file)) {
    throw new StepFailed(`campaign: no run is called "${name}"; tests/campaign/README.md lists them`);
  }
  return foreground(node, [file, ...parameters]);
});
