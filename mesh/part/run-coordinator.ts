/** A coordinator candidate as a process: its credential, its folder, its lease, until it is stopped or halts. */
import { join } from "node:path";
import { startCandidate } from "../../coordinator/leader/candidate.ts";
import { samplerWorker } from "../../coordinator/sampler-worker/sampler-worker.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import { ensurePrivateFolder } from "../../system/private-file.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Surroundings } from "../../system/environment.ts";
import { storeFile } from "../../store/lmdb-store.ts";
import { connectAs } from "../connect.ts";
import { coordinatorKeys } from "../mesh-trust.ts";
import { leaseMsOf } from "./lease-ms.ts";
import { localCredential, type LocalOptions } from "./local-credential.ts";
import { openMemory } from "./open-memory.ts";
import { deletedReason, watchForDeletion } from "./deletion-watch.ts";
import { claimProcess } from "./process-lock.ts";
import { partEndMs, untilStopped } from "./until-stopped.ts";

export interface CoordinatorOptions extends LocalOptions {
  readonly restoreJournal?: boolean;
}

export async function runCoordinator(
  { environment, say }: Surroundings,
  options: CoordinatorOptions,
): Promise<Outcome<null>> {
  const leaseMs = leaseMsOf(environment);
  if (!leaseMs.ok) return leaseMs;
  const local = await localCredential(environment, "coordinator", options);
  if (!local.ok) return local;
  const { home, credential } = local.value;
  const lock = await claimProcess(home, "coordinator", credential.name);
  if (!lock.ok) return lock;
  try {
    const folder = ensurePrivateFolder(join(home.path, "coordinator", credential.name));
    if (!folder.ok) return folder;
    const bus = await connectAs(home, credential, true);
    if (!bus.ok) return bus;
    const keys = coordinatorKeys(home.mesh, credential);
    if (!keys.ok) {
      await bus.value.close();
      return keys;
    }
    const memory = await openMemory(folder.value, systemClock.now(), say);
    if (!memory.ok) {
      await bus.value.close();
      return memory;
    }
    const { journalCopy, projection } = memory.value;
    const halted = Promise.withResolvers<string>();
    const sampler = samplerWorker();
    const candidate = startCandidate({
      mesh: home.mesh,
      name: credential.name,
      bus: bus.value,
      keys: keys.value,
      store: projection,
      journalCopy,
      sampler,
      clock: systemClock,
      random: Math.random,
      settings: settingsFor(leaseMs.value),
      restoreJournal: options.restoreJournal ?? false,
      log: say,
      onHalt: (reason) => halted.resolve(reason),
    });
    say(`coordinator ${credential.name} of mesh ${home.mesh} connected to ${home.url}`);
    const stores = ["store", "journal-copy"].map((name) => join(folder.value, name, storeFile));
    const unwatch = watchForDeletion([home.path, ...stores], (path) => halted.resolve(deletedReason(path)));
    const end = await Promise.race([untilStopped(bus.value, partEndMs), halted.promise]);
    unwatch();
    await candidate.stop();
    await sampler.close();
    await bus.value.close();
    await projection.close();
    await journalCopy.close();
    if (typeof end !== "string" && end.kind === "asked") return accept(null);
    const why =
      typeof end === "string"
        ? end
        : `the mesh no longer accepts coordinator ${credential.name}: ${end.reason}`;
    return refuse("unavailable", why);
  } finally {
    lock.value.release();
  }
}
