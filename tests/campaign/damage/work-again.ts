/** A sweep on a damaged home: the trials of before, further, so that each needs its checkpoint from the mesh's store or a cache. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectMesh } from "../../../client/connect/connect-mesh.ts";
import { prepareSweep } from "../../../client/sweep/prepare-sweep.ts";
import { noopSweep, valueOf } from "../../support/live-mesh.ts";
import { lifeSweep } from "./whole-mesh.ts";

const patienceMs = 90_000;
const pollMs = 100;

/** Null where every trial was completed; else what became of it. `path`: of the home. */
export async function workAgain(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  const connected = valueOf(await connectMesh(environment));
  try {
    const { client } = connected;
    const file = join(path, "further.yaml");
    writeFileSync(file, noopSweep({ ...lifeSweep, name: "further", epochs: lifeSweep.epochs + 2 }));
    const progress = () => undefined;
    const spec = await prepareSweep({ file, overrides: {}, environment, connected, progress });
    const { sweep } = valueOf(await client.command("sweep-run", { spec: valueOf(spec) }));
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const view = await client.query("sweep", { sweep, order: "number", limit: lifeSweep.trials });
      if (view.ok && view.value.summary.state === "done") {
        const { completed } = view.value.summary.counts;
        if (completed === lifeSweep.trials) return null;
        return `${completed} of ${lifeSweep.trials} trials were completed: ${JSON.stringify(view.value.trials)}`;
      }
      if (performance.now() > deadline) return `a sweep did not end: ${JSON.stringify(view)}`;
      await sleep(pollMs);
    }
  } finally {
    await connected.client.close();
  }
}
