/** Reads a bench mesh's own journal and gives, by sweep, each measured attempt as the core keeps it for its estimates. */
import { apply } from "../../coordinator/core/apply.ts";
import { eventsOf } from "../../coordinator/journal/lift.ts";
import { Journal, startPosition } from "../../coordinator/journal/journal.ts";
import { emptyState, mustGet } from "../../coordinator/state/state.ts";
import { workOf } from "../../coordinator/state/work-history.ts";
import { ensureCredential } from "../../mesh/admission.ts";
import { connectAs } from "../../mesh/connect.ts";
import { openHome } from "../../mesh/home.ts";
import { coordinatorKeys } from "../../mesh/mesh-trust.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { valueOf } from "../shared/value-of.ts";
import type { RecordedSweep } from "./recording.ts";

type Attempts = RecordedSweep["attempts"];

export async function readAttempts(homePath: string): Promise<ReadonlyMap<string, Attempts>> {
  const home = valueOf(openHome(homePath));
  const nowS = Math.floor(Date.now() / 1_000);
  const credential = valueOf(await ensureCredential(home, "coordinator", "recorder", nowS));
  const bus = valueOf(await connectAs(home, credential));
  try {
    return await replayed(
      new Journal(bus, home.mesh, systemClock, valueOf(coordinatorKeys(home.mesh, credential))),
    );
  } finally {
    await bus.close();
  }
}

async function replayed(journal: Journal): Promise<ReadonlyMap<string, Attempts>> {
  const state = emptyState();
  const bySweep = new Map<string, Attempts>();
  let position = startPosition;
  for (;;) {
    const entries = await journal.readAfter(position);
    if (entries.length === 0) return bySweep;
    for (const { batch, position: at } of entries) {
      for (const event of eventsOf(state, batch)) {
        const ended = event.kind === "AttemptEnded" && event.epochs !== undefined ? event.fence : null;
        const trialId = ended === null ? undefined : state.active.get(ended);
        apply(state, event, batch.at);
        if (trialId === undefined) continue;
        const { model, sweep } = mustGet(state.trials, trialId, "trial");
        const work = workOf(mustGet(state.sweeps, sweep, "sweep").spec, model);
        const sample = state.works.get(work)?.samples.at(-1);
        if (sample !== undefined) bySweep.set(sweep, [...(bySweep.get(sweep) ?? []), { work, sample }]);
      }
      position = at;
    }
  }
}
