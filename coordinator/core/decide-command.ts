/** Decides on commands: who may, does it make sense, and what follows. CMD-1: a repeated key gets the first answer. */
import { commandSchemas, type CommandBody, type CommandName } from "../../protocol/command.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Role } from "../../protocol/subjects.ts";
import { suggestion } from "../../protocol/name.ts";
import { formatTokens } from "../../protocol/token.ts";
import { decidePromote, decideRollback } from "../registry/alias.ts";
import { addDataset } from "../registry/record-dataset.ts";
import { members } from "../state/member.ts";
import type { EventOf } from "../format/event.ts";
import type { Decision, Sender } from "../state/input.ts";
import { proposeByHand, sealSweep, stopSweep, tuneSweep } from "./decide-sweep-command.ts";
import { decideSweepRun } from "./decide-sweep.ts";
import { attemptByFence, type Account, type Agent, type State } from "../state/state.ts";

/** Answers kept to recognise a repeated command. */
const commandsKept = 10_000;

const allowed: { readonly [N in CommandName]: readonly Role[] } = {
  "sweep-run": ["owner", "requester"],
  "sweep-stop": ["owner", "requester"],
  "budget-grant": ["owner"],
  "account-open": ["owner"],
  "account-set": ["owner"],
  "sweep-tune": ["owner", "requester"],
  "trial-propose": ["owner", "requester"],
  "sweep-seal": ["owner", "requester"],
  "dataset-add": ["owner", "requester"],
  "model-promote": ["owner", "requester"],
  "model-rollback": ["owner", "requester"],
  "agent-drain": ["owner"],
  "agent-cordon": ["owner"],
  "agent-revoked": ["owner"],
};

export function* decideCommand(
  state: State,
  sender: Sender,
  key: string,
  name: CommandName,
  body: unknown,
  at: number,
): Decision {
  if (!allowed[name].includes(sender.role)) {
    return refuse(
      "forbidden",
      `${name} needs the role ${allowed[name].join(" or ")}; ${sender.who} is a ${sender.role}`,
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

function* dispatch(state: State, sender: Sender, name: CommandName, raw: unknown, at: number): Decision {
  switch (name) {
    case "sweep-run": {
      const body = parse(name, raw);
      if (!body.ok) return body;
      const { spec } = body.value;
      // What a sweep records when it is done, its sender must be allowed to record.
      if (spec.records !== undefined && !allowed["dataset-add"].includes(sender.role))
        return refuse("forbidden", `a ${sender.role} may not record datasets`, ["spec", "records"]);
      return yield* decideSweepRun(state, sender.who, spec);
    }
    case "sweep-stop": {
      const body = parse(name, raw);
      return body.ok ? yield* stopSweep(state, sender, body.value) : body;
    }
    case "budget-grant": {
      const body = parse(name, raw);
      return body.ok ? yield* grant(state, sender, body.value) : body;
    }
    case "account-open": {
      const body = parse(name, raw);
      return body.ok ? yield* openAccount(state, sender, body.value) : body;
    }
    case "account-set": {
      const body = parse(name, raw);
      return body.ok ? yield* setAccount(state, body.value, at) : body;
    }
    case "sweep-tune": {
      const body = parse(name, raw);
      return body.ok ? yield* tuneSweep(state, sender, body.value) : body;
    }
    case "trial-propose": {
      const body = parse(name, raw);
      return body.ok ? yield* proposeByHand(state, sender, body.value) : body;
    }
    case "sweep-seal": {
      const body = parse(name, raw);
      return body.ok ? yield* sealSweep(state, sender, body.value) : body;
    }
    case "dataset-add": {
      const body = parse(name, raw);
      return body.ok ? yield* addDataset(state, sender.who, body.value) : body;
    }
    case "model-promote": {
      const body = parse(name, raw);
      return body.ok ? yield* decidePromote(state, sender.who, body.value) : body;
    }
    case "model-rollback": {
      const body = parse(name, raw);
      return body.ok ? yield* decideRollback(state, sender.who, body.value) : body;
    }
    case "agent-drain": {
      const body = parse(name, raw);
      return body.ok ? yield* drain(state, body.value) : body;
    }
    case "agent-cordon": {
      const body = parse(name, raw);
      return body.ok ? yield* cordon(state, body.value) : body;
    }
    case "agent-revoked": {
      const body = parse(name, raw);
      return body.ok ? yield* leave(state, body.value) : body;
    }
  }
}

function parse<N extends CommandName>(name: N, raw: unknown): Outcome<CommandBody<N>> {
  return parseOutside(commandSchemas[name], raw, name);
}

function* grant(state: State, sender: Sender, body: CommandBody<"budget-grant">): Decision {
  const known = knownAccount(state, body.requester);
  if (!known.ok) return known;
  const account = known.value;
  const { requester, amount, note } = body;
  yield { kind: "TokensGranted", requester, amount, by: sender.who, note: note || `by ${sender.who}` };
  return accept({ requester, granted: account.granted });
}

function knownAccount(state: State, requester: string): Outcome<Account> {
  const account = state.accounts.get(requester);
  if (account !== undefined) return accept(account);
  const known = suggestion(requester, state.accounts.keys());
  return refuse("unknown", `there is no account ${requester}; ${known}`, ["requester"]);
}

function* setAccount(state: State, body: CommandBody<"account-set">, at: number): Decision {
  const known = knownAccount(state, body.requester);
  if (!known.ok) return known;
  const { requester, ...present } = known.value;
  const { refill = present.refill, sweepCap = present.sweepCap, weight = present.weight } = body;
  if (refill !== null && refill.amount > refill.upTo) {
    const message = `a refill of ${formatTokens(refill.amount)} tokens does not fit into a bucket of ${formatTokens(refill.upTo)}; make upTo at least the amount`;
    return refuse("invalid", message, ["refill", "upTo"]);
  }
  // A refill that is new or changed counts from now.
  const isSame = JSON.stringify(refill) === JSON.stringify(present.refill);
  const refilledAt = isSame ? present.refilledAt : at;
  yield { kind: "AccountSet", requester, weight, refill, sweepCap, refilledAt };
  return accept({ requester, weight, refill, sweepCap });
}

function* openAccount(state: State, sender: Sender, body: CommandBody<"account-open">): Decision {
  const { grant: amount, requester, weight } = body;
  const known = state.accounts.get(requester);
  if (known !== undefined && amount > 0) {
    const right = `\`trialmesh budget grant ${requester} ${formatTokens(amount)}\` does`;
    return refuse(
      "conflict",
      `the account of ${requester} is open already, and nothing was granted; ${right}`,
    );
  }
  const opened = known === undefined;
  const wanted = weight ?? known?.weight ?? 1;
  if (known?.weight !== wanted) yield { kind: "AccountOpened", requester, weight: wanted };
  if (amount > 0) yield { kind: "TokensGranted", requester, amount, by: sender.who, note: "opening grant" };
  return accept({ requester, opened });
}

/** Nothing new is placed there, and what runs leaves at its next checkpoint for another agent. */
function* drain(state: State, body: CommandBody<"agent-drain">): Decision {
  const { agent } = body;
  const known = knownAgent(state, agent);
  if (!known.ok) return known;
  yield { kind: "AgentDraining", agent, drain: body.drain };
  const running = [...(state.held.get(agent) ?? [])];
  for (const fence of body.drain ? running : []) {
    const attempt = attemptByFence(state, fence)?.attempt;
    if (attempt === undefined || attempt.cancel !== null) continue;
    const reason = "the agent is draining";
    yield { kind: "CancelRequested", fence, reason, how: "checkpoint", preemptedFor: null };
  }
  return accept({ agent, running });
}

/** Nothing new is placed there; what runs goes on to its end. */
function* cordon(state: State, body: CommandBody<"agent-cordon">): Decision {
  const { agent } = body;
  const known = knownAgent(state, agent);
  if (!known.ok) return known;
  if (known.value.cordoned !== body.cordon) yield { kind: "AgentCordoned", agent, cordon: body.cordon };
  return accept({ agent, running: [...(state.held.get(agent) ?? [])] });
}

/** Its credential was taken back. What it holds is its own until the prepaid time ends. */
function* leave(state: State, { agent }: CommandBody<"agent-revoked">): Decision {
  const known = knownAgent(state, agent);
  if (!known.ok) return known;
  yield { kind: "AgentSilent", agent, revoked: true };
  return accept({ agent });
}

function knownAgent(state: State, name: string): Outcome<Agent> {
  const known = members(state);
  const found = known.find(({ agent }) => agent === name);
  if (found !== undefined) return accept(found);
  const names = known.map(({ agent }) => agent);
  return refuse("unknown", `there is no agent ${name}; ${suggestion(name, names)}`, ["agent"]);
}
