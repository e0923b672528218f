/** What `npm pack` runs first: brings the compiled code up to date, since a package carries no sources and no compiler. */
import { prepareBuild, prepareNode, preparePackages } from "./prepare.mjs";
import { runScript } from "./step.mjs";

await runScript(async () => {
  await preparePackages();
  await prepareBuild(await prepareNode());
  return 0;
});
