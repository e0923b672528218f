/** A coordinator candidate as a process: its credential, its folder, its lease, until it is stopped or halts. */
import { randomBytes } from "node:crypto";
import { startCandidate } from "../../coordinator/leader/candidate.ts";
import type { CoordinatorKeys } from "../../coordinator/journal/seal.ts";
import { samplerWorker } from "../../coordinator/sampler-worker/sampler-worker.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { errorSentence } from "../../protocol/error-sentence.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { StoreError } from "../../store/store.ts";
import type { Surroundings } from "../../system/environment.ts";
import type { Home } from "../home.ts";
import { connectAs } from "../connect.ts";
import { coordinatorKeys } from "../mesh-trust.ts";
import { awaitDisk } from "./await-disk.ts";
import { claimPlace } from "./claim-place.ts";
import { forgetHalt, noteHalt } from "./halt-record.ts";
import { leaseMsOf } from "./lease-ms.ts";
import { localCredential, type LocalOptions } from "./local-credential.ts";
import { deletedReason, watchForDeletion } from "./deletion-watch.ts";
import { openMemory, type CoordinatorMemory } from "./open-memory.ts";
import { partEndMs, untilClosed, untilStopped, type StopReason } from "./until-stopped.ts";

export interface CoordinatorOptions extends LocalOptions {
  readonly restoreJournal?: boolean;
}

export async function runCoordinator(
  surroundings: Surroundings,
  options: CoordinatorOptions,
): Promise<Outcome<null>> {
  const { environment, say } = surroundings;
  const leaseMs = leaseMsOf(environment);
  if (!leaseMs.ok) return leaseMs;
  const local = await localCredential(environment, "coordinator", options);
  if (!local.ok) return local;
  const { home, credential } = local.value;
  const asked = untilStopped(partEndMs);
  const place = await claimPlace(home, "coordinator", credential.name, say, asked);
  if (place === null) return accept(null);
  if (!place.ok) return place;
  const { folder, lock } = place.value;
  try {
    const bus = await connectAs(home, credential, say);
    if (!bus.ok) return bus;
    const keys = coordinatorKeys(home.mesh, credential);
    const end = keys.ok
      ? await stand({
          home,
          name: credential.name,
          bus: bus.value,
          keys: keys.value,
          folder,
          asked,
          say,
          leaseMs: leaseMs.value,
          restoreJournal: options.restoreJournal ?? false,
        })
      : keys;
    await bus.value.close();
    return end;
  } finally {
    lock.release();
  }
}

interface Standing {
  readonly home: Home;
  readonly name: string;
  readonly bus: Bus;
  readonly keys: CoordinatorKeys;
  readonly folder: string;
  readonly asked: Promise<StopReason>;
  readonly leaseMs: number;
  readonly restoreJournal: boolean;
  readonly say: (line: string) => void;
}

/** Until it is stopped or halts; where its memory turns out damaged that is opened anew, and it stands again. */
async function stand(standing: Standing): Promise<Outcome<null>> {
  const { asked, bus, folder, home, name, say } = standing;
  const stopped = Promise.race([asked, untilClosed(bus, partEndMs)]);
  forgetHalt(home, name);
  for (;;) {
    const memory = await awaitDisk(() => openMemory(folder, systemClock.now(), say), say, stopped);
    if (memory === null) return accept(null);
    if (!memory.ok) return memory;
    say(`coordinator ${name} of mesh ${home.mesh} connected to ${home.url}`);
    const end = await standOn(standing, memory.value, stopped);
    if (end.kind === "asked") return accept(null);
    if (end.kind === "closed")
      return refuse("unavailable", `the mesh no longer accepts coordinator ${name}: ${end.reason}`);
    if (!isDamage(end.error)) {
      noteHalt(home, name, systemClock.now(), end.reason);
      return refuse("unavailable", end.reason);
    }
    say(`${end.reason} Beginning anew without it.`);
  }
}

type End = StopReason | { readonly kind: "halted"; readonly reason: string; readonly error: unknown };

async function standOn(
  { bus, folder, home, keys, leaseMs, name, restoreJournal, say }: Standing,
  { journalCopy, projection }: CoordinatorMemory,
  stopped: Promise<StopReason>,
): Promise<End> {
  const halted = Promise.withResolvers<End>();
  const sampler = samplerWorker();
  // Its stores alone are built anew.
  const unwatch = watchForDeletion([home.path, folder], (path) =>
    halted.resolve({ kind: "halted", reason: deletedReason(path), error: null }),
  );
  try {
    const candidate = startCandidate({
      mesh: home.mesh,
      name,
      bus,
      keys,
      store: projection,
      journalCopy,
      sampler,
      clock: systemClock,
      random: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
      settings: settingsFor(leaseMs),
      restoreJournal,
      scrubs: true,
      log: say,
      onHalt: (reason, error) => halted.resolve({ kind: "halted", reason, error }),
    });
    const end = await Promise.race([stopped, halted.promise]);
    await candidate.stop();
    return end;
  } catch (error) {
    // What it had stored is read while it starts.
    if (!isDamage(error)) throw error;
    return { kind: "halted", reason: errorSentence(error), error };
  } finally {
    unwatch();
    await sampler.close();
    await projection.close();
    await journalCopy.close();
  }
}

function isDamage(error: unknown): boolean {
  return error instanceof StoreError && error.kind === "damaged";
}
