/** Replays the journal of a home's mesh, from outside, with a coordinator's credential of an auditor's own. */
import { Journal } from "../../coordinator/journal/journal.ts";
import { ensureCredential } from "../../mesh/admission.ts";
import { connectAs } from "../../mesh/connect.ts";
import { openHome } from "../../mesh/home.ts";
import { coordinatorKeys } from "../../mesh/mesh-trust.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { auditJournal, type JournalAudit, type Watch } from "./journal-audit.ts";
import type { Outcome } from "../../protocol/refusal.ts";

/** `watch` sees each event. */
export function auditHome(path: string, watch?: Watch): Promise<JournalAudit> {
  return readHomeJournal(path, (journal) => auditJournal(journal, watch));
}

/** The journal of a home whose server runs, opened with a coordinator's credential for as long as `read` takes. */
export async function readHomeJournal<T>(path: string, read: (journal: Journal) => Promise<T>): Promise<T> {
  const home = held(openHome(path));
  const nowS = Math.floor(Date.now() / 1000);
  const credential = held(await ensureCredential(home, "coordinator", "auditor", nowS));
  const bus = held(await connectAs(home, credential));
  try {
    const keys = held(coordinatorKeys(home.mesh, credential));
    return await read(new Journal(bus, home.mesh, systemClock, keys));
  } finally {
    await bus.close();
  }
}

function held<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(outcome.refusal.message);
}
