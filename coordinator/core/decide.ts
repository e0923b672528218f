/** `decide(state, input, at)`: which events an input leads to, or why it is refused. Changes nothing itself. */
import { accept } from "../../protocol/refusal.ts";
import { heardNow } from "../budget/meter.ts";
import { apply } from "./apply.ts";
import { hearHeartbeat, silence, welcome } from "./decide-agent.ts";
import { decideCommand } from "./decide-command.ts";
import { preempt } from "./preempt.ts";
import { refill } from "./decide-refill.ts";
import { decideProposals } from "./decide-proposals.ts";
import { decideReport } from "./decide-report.ts";
import type { Event } from "../format/event.ts";
import { expire } from "./expire.ts";
import type { Decision, Input } from "../state/input.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { State } from "../state/state.ts";

export function* decide(state: State, input: Input, at: number, settings: CoordinatorSettings): Decision {
  switch (input.kind) {
    case "command":
      return yield* decideCommand(state, input.sender, input.key, input.name, input.body, at);
    case "register":
      yield* welcome(state, input.agent, input.register, settings);
      break;
    case "heartbeat":
      yield* hearHeartbeat(
        state,
        input.agent,
        input.heartbeat,
        input.heard ?? heardNow(at, settings),
        at,
        settings,
      );
      break;
    case "silent":
      yield* silence(state, input.agent);
      break;
    case "report":
      yield* decideReport(state, input.agent, input.report, {
        heard: input.heard ?? heardNow(at, settings),
        at,
        settings,
      });
      break;
    case "proposals":
      yield* decideProposals(state, input.proposals);
      break;
    case "expire":
      yield* expire(state, at, settings);
      yield* refill(state, at);
      yield* preempt(state, at, settings);
      break;
  }
  return accept(null);
}

/** Runs a decision to its end, applying each event as it comes; the events are added to `events`. */
export function run<T>(
  state: State,
  decision: Generator<Event, T, void>,
  at: number,
  events: { push(event: Event): unknown },
): T {
  for (;;) {
    const step = decision.next();
    if (step.done === true) return step.value;
    apply(state, step.value, at);
    events.push(step.value);
  }
}
