/** Decides on commands: who may, does it make sense, and what follows. CMD-1: a repeated key gets the first answer. */
import { commandSchemas, type CommandBody, type CommandName } from "../../protocol/command.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Role } from "../../protocol/subjects.ts";
import { suggestion } from "../../protocol/name.ts";
import { decidePromote, decideRollback } from "../registry/alias.ts";
import type { Decision, Sender, Steps } from "./input.ts";
import { decideSweepRun } from "./decide-sweep.ts";
import type { State } from "./state.ts";

const allowed: { readonly [N in CommandName]: readonly Role[] } = {
  "sweep-run": ["owner", "requester"],
  "sweep-stop": ["owner", "requester"],
  "budget-grant": ["owner"],
  "account-open": ["owner"],
  "model-promote": ["owner", "requester"],
  "model-rollback": ["owner", "requester"],
  "agent-drain": ["owner"],
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
  }
}

function parse<N extends CommandName>(name: N, raw: unknown): Outcome<CommandBody<N>> {
  return parseOutside(commandSchemas[name], raw, name);
}

function* stopSweep(state: State, sender: Sender, body: CommandBody<"sweep-stop">): Decision {
  const sweep = state.sweeps.get(body.sweep);
  if (sweep === undefined) {
    return refuse(
      "unknown",
      `there is no sweep ${body.sweep}; ${suggestion(body.sweep, state.sweeps.keys())}`,
      ["sweep"],
    );
  }
  if (sender.role !== "owner" && sweep.requester !== sender.who) {
    return refuse("forbidden", `${body.sweep} belongs to ${sweep.requester}`, ["sweep"]);
  }
  if (sweep.state !== "running")
    return refuse("conflict", `${body.sweep} is already ${sweep.state}`, ["sweep"]);
  yield { kind: "SweepStopping", sweep: body.sweep, by: sender.who, why: body.why };
  yield* cancelTrials(state, body.sweep);
  return accept({ sweep: body.sweep });
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
      yield { kind: "CancelRequested", fence: attempt.fence, reason: "the sweep was stopped" };
    }
  }
}

function* grant(state: State, sender: Sender, body: CommandBody<"budget-grant">): Decision {
  const account = state.accounts.get(body.requester);
  if (account === undefined) {
    const known = suggestion(body.requester, state.accounts.keys());
    return refuse("unknown", `there is no account ${body.requester}; ${known}`, ["requester"]);
  }
  const { requester, amount, note } = body;
  yield { kind: "TokensGranted", requester, amount, by: sender.who, note: note || `by ${sender.who}` };
  return accept({ requester, granted: account.granted });
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

function* drain(state: State, body: CommandBody<"agent-drain">): Decision {
  const { agent } = body;
  if (!state.agents.has(agent)) {
    return refuse("unknown", `there is no agent ${agent}; ${suggestion(agent, state.agents.keys())}`, [
      "agent",
    ]);
  }
  yield { kind: "AgentDraining", agent, drain: body.drain };
  const running = [...(state.held.get(agent) ?? [])];
  if (body.drain) {
    for (const fence of running) yield { kind: "CancelRequested", fence, reason: "the agent is draining" };
  }
  return accept({ agent, running });
}
