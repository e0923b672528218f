/** Decides on commands: who may, does it make sense, and what follows. CMD-1: a repeated key gets the first answer. */
import { commandSchemas, type CommandBody, type CommandName } from "../../protocol/command.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Role } from "../../protocol/subjects.ts";
import { suggestion } from "../../protocol/name.ts";
import { formatTokens } from "../../protocol/token.ts";
import { decidePromote, decideRollback } from "../registry/alias.ts";
import type { Decision, Sender, Steps } from "./input.ts";
import { decideSweepRun } from "./decide-sweep.ts";
import { attemptByFence, type Account, type Agent, type State, type Sweep } from "./state.ts";

const allowed: { readonly [N in CommandName]: readonly Role[] } = {
  "sweep-run": ["owner", "requester"],
  "sweep-stop": ["owner", "requester"],
  "budget-grant": ["owner"],
  "account-open": ["owner"],
  "account-set": ["owner"],
  "sweep-tune": ["owner", "requester"],
  "model-promote": ["owner", "requester"],
  "model-rollback": ["owner", "requester"],
  "agent-drain": ["owner"],
  "agent-cordon": ["owner"],
};

export function* decideCommand(
  state: State,
  sender: Sender,
  key: string,
  name: CommandName,
  body: unknown,
): Decision {
  if (!allowed[name].includes(sender.role)) {
    return refuse(
      "forbidden",
      `${name} needs the role ${allowed[name].join(" or ")}; ${sender.who} is a ${sender.role}`,
    );
  }
  const id = `${sender.role}/${sender.who}/${key}`;
  if (state.commands.has(id)) return accept(state.commands.get(id));
  const answer = yield* dispatch(state, sender, name, body);
  if (answer.ok) yield { kind: "CommandAccepted", key: id, who: sender.who, name, value: answer.value };
  return answer;
}

function* dispatch(state: State, sender: Sender, name: CommandName, raw: unknown): Decision {
  switch (name) {
    case "sweep-run": {
      const body = parse(name, raw);
      return body.ok ? yield* decideSweepRun(state, sender.who, body.value.spec) : body;
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
      return body.ok ? yield* setAccount(state, body.value) : body;
    }
    case "sweep-tune": {
      const body = parse(name, raw);
      return body.ok ? yield* tuneSweep(state, sender, body.value) : body;
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
  }
}

function parse<N extends CommandName>(name: N, raw: unknown): Outcome<CommandBody<N>> {
  return parseOutside(commandSchemas[name], raw, name);
}

function* stopSweep(state: State, sender: Sender, body: CommandBody<"sweep-stop">): Decision {
  const found = runningSweep(state, sender, body.sweep);
  if (!found.ok) return found;
  yield { kind: "SweepStopping", sweep: body.sweep, by: sender.who, why: body.why };
  yield* cancelTrials(state, body.sweep);
  return accept({ sweep: body.sweep });
}

/** A sweep that runs and that the sender may command. */
function runningSweep(state: State, sender: Sender, id: string): Outcome<Sweep> {
  const sweep = state.sweeps.get(id);
  if (sweep === undefined) {
    const known = suggestion(id, state.sweeps.keys());
    return refuse("unknown", `there is no sweep ${id}; ${known}`, ["sweep"]);
  }
  if (sender.role !== "owner" && sweep.requester !== sender.who) {
    return refuse("forbidden", `${id} belongs to ${sweep.requester}`, ["sweep"]);
  }
  if (sweep.state !== "running") return refuse("conflict", `${id} is already ${sweep.state}`, ["sweep"]);
  return accept(sweep);
}

function* tuneSweep(state: State, sender: Sender, body: CommandBody<"sweep-tune">): Decision {
  const found = runningSweep(state, sender, body.sweep);
  if (!found.ok) return found;
  const sweep = found.value;
  const { priority = sweep.priority, weight = sweep.weight } = body;
  if (priority !== sweep.priority || weight !== sweep.weight) {
    yield { kind: "SweepTuned", sweep: body.sweep, weight, priority };
  }
  return accept({ sweep: body.sweep, weight, priority });
}

function* cancelTrials(state: State, sweep: string): Steps {
  const { proposed } = state.sweeps.get(sweep) ?? { proposed: 0 };
  for (let number = 1; number <= proposed; number++) {
    const trial = state.trials.get(`${sweep}-${number}`);
    if (trial === undefined) continue;
    if (trial.state === "queued" || trial.state === "paused") {
      yield { kind: "TrialFinished", trial: trial.trial, outcome: "cancelled", why: "the sweep was stopped" };
    }
    const attempt = trial.attempts.at(-1);
    if (trial.state === "running" && attempt !== undefined && attempt.cancel === null) {
      const reason = "the sweep was stopped";
      yield { kind: "CancelRequested", fence: attempt.fence, reason, how: "soon", preemptedFor: null };
    }
  }
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

function* setAccount(state: State, body: CommandBody<"account-set">): Decision {
  const known = knownAccount(state, body.requester);
  if (!known.ok) return known;
  const { requester, ...present } = known.value;
  const { refill = present.refill, sweepCap = present.sweepCap, weight = present.weight } = body;
  if (refill !== null && refill.amount > refill.upTo) {
    const message = `a refill of ${formatTokens(refill.amount)} tokens does not fit into a bucket of ${formatTokens(refill.upTo)}; make upTo at least the amount`;
    return refuse("invalid", message, ["refill", "upTo"]);
  }
  yield { kind: "AccountSet", requester, weight, refill, sweepCap };
  return accept({ requester, weight, refill, sweepCap });
}

function* openAccount(state: State, sender: Sender, body: CommandBody<"account-open">): Decision {
  const { requester, weight } = body;
  const known = state.accounts.get(requester);
  if (known === undefined || known.weight !== weight) yield { kind: "AccountOpened", requester, weight };
  if (known === undefined && body.grant > 0) {
    yield { kind: "TokensGranted", requester, amount: body.grant, by: sender.who, note: "opening grant" };
  }
  return accept({ requester });
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

function knownAgent(state: State, name: string): Outcome<Agent> {
  const agent = state.agents.get(name);
  if (agent !== undefined) return accept(agent);
  return refuse("unknown", `there is no agent ${name}; ${suggestion(name, state.agents.keys())}`, ["agent"]);
}
