/** Opens a mesh, and ends it again where it was asked to end before it was there: bringing in a server may take minutes. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Outcome } from "../../protocol/refusal.ts";
import { startMesh, type StartedMesh, type StartMeshOptions } from "./start-mesh.ts";
import type { StopReason } from "./until-stopped.ts";

/** What has begun by then is ended in order; anything else by the guards, when this process ends. */
const settleMs = 5_000;

/** Null where it was asked to end first. */
export async function startUnlessStopped(
  options: StartMeshOptions,
  stopped: Promise<StopReason>,
): Promise<Outcome<StartedMesh> | null> {
  const starting = startMesh(options);
  const first = await Promise.race([starting, stopped.then(() => null)]);
  if (first !== null) return first;
  const late = await Promise.race([starting, sleep(settleMs, null, { ref: false })]);
  if (late?.ok === true) await late.value.stop();
  return null;
}
