/** Hears who holds which artifacts and tells who asks, and hears who wants a replica: for whoever leads. What it knows is the tracker's and the desk's. */
import type { Bus, Incoming, Subscription } from "../../protocol/bus/bus.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { coordinatorPatterns } from "../../protocol/subjects.ts";
import { trackSchema } from "../../protocol/tracking.ts";
import type { State } from "../state/state.ts";
import { beyondQuota, trackRate, type SenderQuota } from "./sender-quota.ts";
import type { ReplicaDesk } from "./replica-desk.ts";
import type { Tracker } from "./tracker.ts";

export interface ServeTrackerOptions {
  readonly bus: Bus;
  readonly mesh: string;
  readonly clock: Clock;
  readonly state: Pick<State, "agents" | "gone" | "meta">;
  readonly quota: SenderQuota;
}

export function serveTracker(
  options: ServeTrackerOptions,
  tracker: Tracker,
  desk: Pick<ReplicaDesk, "ask" | "declined" | "heard">,
): Subscription {
  return options.bus.subscribe(coordinatorPatterns(options.mesh).tracks, (message) => {
    const answer = answerTo(options, tracker, desk, message);
    if ("then" in answer) void answer.then((later) => message.respond(toBytes(later)));
    else message.respond(toBytes(answer));
  });
}

function answerTo(
  { clock, quota, state }: ServeTrackerOptions,
  tracker: Tracker,
  desk: Pick<ReplicaDesk, "ask" | "declined" | "heard">,
  message: Incoming,
): Outcome<unknown> | Promise<Outcome<unknown>> {
  const [role = "", who = ""] = message.subject.split(".").slice(4);
  // QUOTA-1: before anything is read of it.
  if (!quota.allows("track", `${role}/${who}`, message.data.length, clock.monotonic()))
    return refuse("unavailable", beyondQuota(who, "questions", trackRate));
  const track = parseOutside(trackSchema, fromBytes(message.data), "the question for peers");
  if (!track.ok) return track;
  const isPresent = (agent: string) => state.agents.get(agent)?.present === true;
  // No agent is called like a person here, and people too begin with different holders.
  const asker = role === "agent" ? who : `${role}:${who}`;
  if (track.value.kind === "find") return accept(tracker.find(track.value.digest, asker, isPresent));
  if (track.value.kind === "relays") return accept({ relays: tracker.relays(asker, isPresent) });
  if (track.value.kind === "reach") return accept(tracker.placeOf(track.value.agent, isPresent));
  if (role !== "agent") return refuse("forbidden", "only an agent says what it holds, or has it held");
  if (track.value.kind === "replicate") return desk.ask(who, track.value).then((answer) => accept(answer));
  if (track.value.kind === "decline") {
    desk.declined(who, track.value.digest);
    return accept(null);
  }
  // What was meant for another leader, or said by an earlier run, would mix two counts of messages.
  if (
    track.value.epoch !== state.meta.epoch ||
    state.agents.get(who)?.incarnation !== track.value.incarnation
  )
    return accept({ again: true });
  // GC-8: it may not have heard when that was collected.
  const gone = track.value.added.flatMap(({ digest }) => (state.gone.has(digest) ? digest : []));
  const isTaken = tracker.hold(who, track.value);
  desk.heard(who);
  return accept({ again: !isTaken, ...(gone.length === 0 ? null : { gone }) });
}
