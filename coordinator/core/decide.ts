/**
 * `decide(state, input, at)`: which events an input leads to, or why it is refused. Changes nothing itself. What may lead to
 * events without number stops where the batch is full (SIZE-2); it returns null then, and is decided on again.
 */
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { heardNow } from "../budget/meter.ts";
import { apply } from "./apply.ts";
import { noteArchived } from "./decide-archive.ts";
import { collect, noteRemoved } from "./decide-collect.ts";
import { hearHeartbeat, silence, superseded, welcome } from "./decide-agent.ts";
import { decideCommand } from "./decide-command.ts";
import { handOver } from "./hand-over.ts";
import { preempt } from "./preempt.ts";
import { refill } from "./decide-refill.ts";
import { decideProposals } from "./decide-proposals.ts";
import { decideReport, refuseForged } from "./decide-report.ts";
import type { Event } from "../format/event.ts";
import { expire } from "./expire.ts";
import type { Input } from "../state/input.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { State } from "../state/state.ts";

/** `isFull`: this batch takes no more. The answer, or null where more is left to decide in the next batch. */
export function* decide(
  state: State,
  input: Input,
  at: number,
  settings: CoordinatorSettings,
  isFull: () => boolean = () => false,
): Generator<Event, Outcome<unknown> | null, void> {
  switch (input.kind) {
    case "command":
      return yield* decideCommand(state, input.sender, input.key, input.name, input.body, at);
    case "register": {
      const answer = superseded(state, input.agent, input.register);
      if (!answer.ok) return answer;
      return (yield* welcome(state, input.agent, input.register, settings, isFull)) ? accept(null) : null;
    }
    case "heartbeat": {
      const { agent, heard = heardNow(at, settings), heartbeat } = input;
      const whole = yield* hearHeartbeat(state, agent, heartbeat, { heard, at, settings }, isFull);
      return whole ? accept(null) : null;
    }
    case "silent":
      yield* silence(state, input.agent);
      break;
    case "report": {
      const { agent, forged, heard = heardNow(at, settings), packs, report } = input;
      if (forged === undefined) yield* decideReport(state, agent, report, { heard, at, settings }, packs);
      else yield* refuseForged(state, agent, report, forged, settings);
      break;
    }
    case "proposals":
      yield* decideProposals(state, input.proposals, isFull);
      break;
    case "collect":
      return (yield* collect(state, input.collection, at, isFull)) ? accept(null) : null;
    case "removed":
      yield* noteRemoved(state, input.mark);
      break;
    case "archived":
      yield* noteArchived(state, input.made);
      break;
    case "expire":
      if (!(yield* expire(state, at, settings, isFull))) return null;
      if (!(yield* refill(state, at, isFull))) return null;
      yield* handOver(state, at);
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
