/** A coordinator candidate as a process: its credential, its folder, its lease, until it is stopped or halts. */
import { projectionVersion } from "../../coordinator/core/projection.ts";
import { join } from "node:path";
import { startCandidate } from "../../coordinator/candidate.ts";
import { workerThinker } from "../../coordinator/thinking/worker-thinker.ts";
import { settingsFor } from "../../coordinator/core/setting.ts";
import { ensurePrivateFolder } from "../../mesh/private-file.ts";
import { systemClock } from "../../protocol/system-clock.ts";
import { exitCode, type ExitCode } from "../exit-code.ts";
import { printRefusal } from "../print/answer.ts";
import type { Terminal } from "../terminal.ts";
import { connectAs } from "../with-mesh.ts";
import { leaseMsOf } from "./lease-ms.ts";
import { localCredential, type LocalOptions } from "./local-credential.ts";
import { openStore } from "./open-store.ts";
import { claimProcess } from "./process-lock.ts";
import { untilStopped } from "./until-stopped.ts";

/** Of the projection a coordinator keeps in its store. */
const storeVersion = `coordinator-${projectionVersion}`;

export interface CoordinatorOptions extends LocalOptions {
  readonly restoreJournal?: boolean;
}

export async function runCoordinator(terminal: Terminal, options: CoordinatorOptions): Promise<ExitCode> {
  const leaseMs = leaseMsOf(terminal.environment);
  if (!leaseMs.ok) return printRefusal(terminal, {}, leaseMs.refusal);
  const local = await localCredential(terminal.environment, "coordinator", options);
  if (!local.ok) return printRefusal(terminal, {}, local.refusal);
  const { home, credential } = local.value;
  const lock = await claimProcess(home, "coordinator", credential.name);
  if (!lock.ok) return printRefusal(terminal, {}, lock.refusal);
  try {
    const folder = ensurePrivateFolder(join(home.path, "coordinator", credential.name));
    if (!folder.ok) return printRefusal(terminal, {}, folder.refusal);
    const bus = await connectAs(home, credential, true);
    if (!bus.ok) return printRefusal(terminal, {}, bus.refusal);
    const store = await openStore(join(folder.value, "store"), storeVersion);
    if (!store.ok) {
      await bus.value.close();
      return printRefusal(terminal, {}, store.refusal);
    }
    const halted = Promise.withResolvers<string>();
    const thinker = workerThinker();
    const candidate = startCandidate({
      mesh: home.mesh,
      name: credential.name,
      bus: bus.value,
      store: store.value,
      thinker,
      clock: systemClock,
      random: Math.random,
      settings: settingsFor(leaseMs.value),
      restoreJournal: options.restoreJournal ?? false,
      log: (line) => terminal.note(line),
      onHalt: (reason) => halted.resolve(reason),
    });
    terminal.note(`coordinator ${credential.name} of mesh ${home.mesh} connected to ${home.url}`);
    const end = await Promise.race([untilStopped(bus.value), halted.promise]);
    await candidate.stop();
    await thinker.close();
    await bus.value.close();
    await store.value.close();
    if (typeof end !== "string" && end.kind === "asked") return exitCode.ok;
    const why =
      typeof end === "string"
        ? end
        : `the mesh no longer accepts coordinator ${credential.name}: ${end.reason}`;
    terminal.note(`trialmesh: ${why}`);
    return exitCode.failed;
  } finally {
    lock.value.release();
  }
}
