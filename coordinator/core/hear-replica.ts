/**
 * What a replica says of itself in its agent's heartbeat: an event where it answers with another revision than before, or something else is
 * wrong. How many requests it has answered is for views, and in no event.
 */
import type { ReplicaState } from "../../protocol/deployment.ts";
import type { Steps } from "../state/input.ts";
import { mustGet, type Attempt, type State, type Trial } from "../state/state.ts";

/** Of a reason, which is kept in the record. */
const troubleCharactersMax = 300;

export function* hearReplica(
  state: State,
  trial: Trial,
  { fence, replica: known }: Attempt,
  said: ReplicaState | undefined,
): Steps {
  const { deployment: name } = mustGet(state.sweeps, trial.sweep, "sweep");
  if (name === undefined || said === undefined) return;
  const { revision: newest } = mustGet(state.deployments, name, "deployment");
  // One that nobody has given it says nothing of what it answers with.
  const revision = said.revision !== null && said.revision <= newest ? said.revision : known?.revision;
  const trouble = said.trouble?.slice(0, troubleCharactersMax);
  // Of another reason for the same trouble nobody needs a record; views have the newest from the heartbeat.
  const isSame = (trouble === undefined) === (known?.trouble === undefined);
  if (revision === known?.revision && isSame) return;
  yield {
    ...({ kind: "ReplicaSaid", fence } as const),
    ...(revision === undefined ? null : { revision }),
    ...(trouble === undefined ? null : { trouble }),
  };
}
