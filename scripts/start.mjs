/** `npm start`: brings in what is missing, then opens a mesh on this machine and runs the example. */
import { join } from "node:path";
import { prepareCode, prepareServer } from "./prepare.mjs";
import { foreground, root, runScript } from "./step.mjs";

await runScript(async (parameters) => {
  const node = await prepareCode();
  const env = { ...process.env };
  if (!env.NATS_URL) env.TRIALMESH_NATS_SERVER = await prepareServer(node);
  return foreground(node, [join(root, "dist", "cli", "main.js"), "demo", ...parameters], { env });
});
