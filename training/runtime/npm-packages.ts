/** The npm packages of a runtime, in its unfinished folder. Their own install scripts do not run: libraries come later. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { phase, refuseStep, type InstallContext } from "./install-context.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { runStep } from "./run-step.ts";
import { makeFolderSync } from "../../system/make-folder.ts";

const npmTimeoutMs = 300_000;
/** Only the headers of N-API, which are the same for every Node. */
const napiHeaders = "node-api-headers@1.9.0";

/** Leaves them at `packages/`, whole. */
export async function bringPackages(context: InstallContext): Promise<Outcome<null>> {
  const { runtime, staging, environment, signal } = context;
  const target = join(staging, "packages");
  const specs = [
    ...runtime.packages.map(({ name, version }) => `${name}@${version}`),
    ...(runtime.tensorflow === null ? [] : [napiHeaders]),
  ];
  const stamp = JSON.stringify({ name: `trialmesh-runtime-${runtime.name}`, private: true, specs });
  const before = existsSync(join(target, "specs.json"))
    ? readFileSync(join(target, "specs.json"), "utf8")
    : null;
  if (before === stamp) {
    context.say("packages: there already");
    return accept(null);
  }
  rmSync(target, { recursive: true, force: true });
  const draft = `${target}${partSuffix}`;
  return phase(context, "packages", async () => {
    makeFolderSync(draft);
    writeFileSync(join(draft, "package.json"), JSON.stringify({ private: true }));
    const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
    const end = await runStep({
      program: "npm",
      parameters: ["install", "--prefix", draft, ...quiet, ...specs],
      cwd: draft,
      env: environment,
      timeoutMs: npmTimeoutMs,
      signal,
    });
    if (end.how !== "done")
      return refuseStep(
        context,
        "`npm install`",
        end,
        "check the network and npm's registry setting, then run this again",
      );
    writeFileSync(join(draft, "specs.json"), stamp);
    renameSync(draft, target);
    return accept({ value: null, note: specs.join(", "), size: await bytesOf(target) });
  });
}

/** Of all files below it. */
export async function bytesOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  return bytes;
}
