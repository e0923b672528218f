/** Decides on commands: who may, does it make sense, and what follows. CMD-1: a repeated key gets the first answer. */
import { commandSchemas, type CommandBody, type CommandName } from "../../protocol/command.ts";
import { accept, parseOutside, refuse } from "../../protocol/refusal.ts";
import type { Role } from "../../protocol/subjects.ts";
import { decidePromote, decideRollback } from "../registry/alias.ts";
import { addDataset } from "../registry/record-dataset.ts";
import { removeEntry, restoreEntry } from "../registry/remove-entry.ts";
import type { EventOf } from "../format/event.ts";
import type { Decision, Sender } from "../state/input.ts";
import { grant, openAccount, setAccount } from "./decide-account.ts";
import { setDeployment, stopDeployment } from "./decide-deployment.ts";
import { cordon, drain, leave } from "./decide-agent-command.ts";
import { proposeByHand, sealSweep, stopSweep, tuneSweep } from "./decide-sweep-command.ts";
import { noteFact } from "./decide-fact.ts";
import { noteEntry, noteSweep, noteTrial, tagEntry, tagSweep, tagTrial } from "./decide-label.ts";
import { askCollection, pinArtifact, setRetention, unpinArtifact } from "./decide-retention.ts";
import { extendSweep } from "./decide-sweep-extend.ts";
import { removeSweep, restoreSweep } from "./decide-sweep-remove.ts";
import { pauseSweep, resumeSweep } from "./decide-sweep-pause.ts";
import { stopTrial } from "./decide-trial-stop.ts";
import { decideSweepRun } from "./decide-sweep.ts";
import type { State } from "../state/state.ts";

/** Answers kept to recognise a repeated command. */
const commandsKept = 10_000;

interface Handler<N extends CommandName> {
  readonly roles: readonly Role[];
  readonly decide: (state: State, sender: Sender, body: CommandBody<N>, at: number) => Decision;
}

const owner: readonly Role[] = ["owner"];
/** Each decides itself whether the thing in question is its sender's. */
const people: readonly Role[] = ["owner", "requester"];

const handlers: { readonly [N in CommandName]: Handler<N> } = {
  "sweep-run": { roles: people, decide: runSweep },
  "sweep-stop": { roles: people, decide: stopSweep },
  "sweep-pause": { roles: people, decide: pauseSweep },
  "sweep-resume": { roles: people, decide: resumeSweep },
  "sweep-extend": { roles: people, decide: extendSweep },
  "sweep-remove": { roles: people, decide: removeSweep },
  "sweep-restore": { roles: people, decide: restoreSweep },
  "budget-grant": { roles: owner, decide: grant },
  "account-open": { roles: owner, decide: openAccount },
  "account-set": { roles: owner, decide: setAccount },
  "sweep-tune": { roles: people, decide: tuneSweep },
  "trial-propose": { roles: people, decide: proposeByHand },
  "trial-stop": { roles: people, decide: stopTrial },
  "sweep-tag": { roles: people, decide: tagSweep },
  "trial-tag": { roles: people, decide: tagTrial },
  "sweep-note": { roles: people, decide: noteSweep },
  "trial-note": { roles: people, decide: noteTrial },
  "sweep-seal": { roles: people, decide: sealSweep },
  "dataset-add": { roles: people, decide: (state, { who }, body) => addDataset(state, who, body) },
  "model-promote": { roles: people, decide: (state, { who }, body) => decidePromote(state, who, body) },
  "model-rollback": { roles: people, decide: (state, { who }, body) => decideRollback(state, who, body) },
  "registry-tag": { roles: people, decide: tagEntry },
  "registry-note": { roles: people, decide: noteEntry },
  "model-fact": { roles: people, decide: noteFact },
  "registry-remove": { roles: people, decide: removeEntry },
  "registry-restore": { roles: people, decide: restoreEntry },
  "deploy-set": { roles: people, decide: setDeployment },
  "deploy-stop": { roles: people, decide: stopDeployment },
  "artifact-pin": { roles: people, decide: pinArtifact },
  "artifact-unpin": { roles: people, decide: unpinArtifact },
  "gc-run": { roles: owner, decide: askCollection },
  "retention-set": { roles: owner, decide: setRetention },
  "agent-drain": { roles: owner, decide: drain },
  "agent-cordon": { roles: owner, decide: cordon },
  "agent-revoked": { roles: owner, decide: leave },
};

export function* decideCommand(
  state: State,
  sender: Sender,
  key: string,
  name: CommandName,
  body: unknown,
  at: number,
): Decision {
  const { roles } = handlers[name];
  if (!roles.includes(sender.role)) {
    return refuse(
      "forbidden",
      `${name} needs the role ${roles.join(" or ")}; ${sender.who} is a ${sender.role}`,
    );
  }
  const id = `${sender.role}/${sender.who}/${key}`;
  const before = state.commands.get(id);
  if (before !== undefined) return accept(before.value);
  const answer = yield* dispatch(state, sender, name, body, at);
  if (answer.ok) yield commandAccepted(state, id, sender, name, answer.value);
  return answer;
}

function commandAccepted(
  state: State,
  key: string,
  { who }: Sender,
  name: CommandName,
  value: unknown,
): EventOf<"CommandAccepted"> {
  const event = { kind: "CommandAccepted", key, who, name, value } as const;
  const oldest = state.commands.size < commandsKept ? undefined : state.commands.keys().next().value;
  return oldest === undefined ? event : { ...event, forgets: oldest };
}

function* dispatch<N extends CommandName>(
  state: State,
  sender: Sender,
  name: N,
  raw: unknown,
  at: number,
): Decision {
  const body = parseOutside(commandSchemas[name], raw, name);
  return body.ok ? yield* handlers[name].decide(state, sender, body.value, at) : body;
}

function* runSweep(state: State, sender: Sender, { spec }: CommandBody<"sweep-run">): Decision {
  // What a sweep records when it is done, its sender must be allowed to record.
  if (spec.records !== undefined && !handlers["dataset-add"].roles.includes(sender.role))
    return refuse("forbidden", `a ${sender.role} may not record datasets`, ["spec", "records"]);
  return yield* decideSweepRun(state, sender.who, spec);
}
