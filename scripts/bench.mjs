/** `npm run bench -- NAME [--json]`: one of the measurements in `bench/`. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { prepareCode, prepareServer } from "./prepare.mjs";
import { foreground, root, runScript, StepFailed } from "./step.mjs";

await runScript(async (parameters) => {
  const node = await prepareCode();
  const known = benches();
  const name = parameters.find((word) => !word.startsWith("-"));
  const list = known.join(", ") || "none";
  if (name === undefined) throw new StepFailed(`say which bench to run: ${list}`);
  if (!known.includes(name)) {
    const { nearestName } = await import("../dist/protocol/name.js");
    const nearest = nearestName(name, known);
    const hint = nearest === null ? "" : ` Did you mean "${nearest}"?`;
    throw new StepFailed(`there is no bench "${name}".${hint} There are: ${list}`);
  }
  const env = { ...process.env, TRIALMESH_NATS_SERVER: await prepareServer(node) };
  const rest = parameters.filter((word) => word !== name);
  return foreground(node, [join(root, "dist", "bench", `${name}.js`), ...rest], { env });
});

/** A bench is a file of `bench/` that stands for itself; what several share lies in its subfolders. */
function benches() {
  const folder = join(root, "bench");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^[a-z0-9-]+\.ts$/.test(file))
    .map((file) => file.slice(0, -".ts".length));
}
