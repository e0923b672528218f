/** The sweep a command is about, where there is one and its sender may command it. What is done with it is for others to decide. */
import { suggestion } from "../../protocol/name.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Sender } from "../state/input.ts";
import type { State, Sweep } from "../state/state.ts";

/** In whatever state it is: its requester's and the owner's. */
export function ownSweep(
  state: State,
  sender: Sender,
  id: string,
  field: "sweep" | "trial" = "sweep",
): Outcome<Sweep> {
  const sweep = state.sweeps.get(id);
  if (sweep === undefined) {
    const known = suggestion(id, state.sweeps.keys());
    return refuse("unknown", `there is no sweep ${id}; ${known}`, [field]);
  }
  if (sender.role !== "owner" && sweep.requester !== sender.who) {
    return refuse("forbidden", `${id} belongs to ${sweep.requester}`, [field]);
  }
  return accept(sweep);
}

/** As `ownSweep`, but for what the mesh itself runs. */
export function searchingSweep(state: State, sender: Sender, id: string): Outcome<Sweep> {
  const found = ownSweep(state, sender, id);
  const deployment = found.ok ? found.value.deployment : undefined;
  if (deployment === undefined) return found;
  // DEPLOY-5.
  const right = `\`trialmesh deploy ${deployment}\` changes it, \`trialmesh deploy stop ${deployment}\` ends it`;
  return refuse("conflict", `${id} is the replicas of deployment ${deployment}; ${right}`, ["sweep"]);
}

/** One that has not ended and is not about to. */
export function runningSweep(state: State, sender: Sender, id: string): Outcome<Sweep> {
  const found = searchingSweep(state, sender, id);
  if (!found.ok) return found;
  const sweep = found.value;
  if (sweep.state !== "running") return refuse("conflict", `${id} is already ${sweep.state}`, ["sweep"]);
  return found;
}
