/**
 * Polls what the visible screen wants, twice a second, never two requests for the same thing at once.
 * While the server is away it asks nothing and keeps what it has; it resumes by itself.
 */
import type { MeshClient } from "../protocol/client.ts";
import type { Clock } from "../protocol/time/clock.ts";
import type { QueryName } from "../protocol/command.ts";
import type { MeshView } from "../protocol/view.ts";
import {
  noAnswers,
  wantKey,
  type Answer,
  type Answers,
  type Data,
  type LinkState,
  type Want,
} from "./model/mesh-data.ts";

export const pollMs = 500;
/** Without an answer for this long the mesh counts as silent. */
export const silentMs = 5_000;
/** How often what hardly changes any more is asked for. */
const calmMs = 5_000;
/** Answers nobody has wanted for this long are dropped. */
const keepMs = 60_000;
const sampleMs = 1_000;
const samplesMax = 240;

export interface Feed {
  data(): Data;
  /** Asks at once for what is wanted and neither known nor under way. */
  refresh(): void;
  /** Asks at once for all that is wanted: something was just changed. */
  askAgain(): void;
  stop(): void;
}

type Mutable<A> = A extends ReadonlyMap<infer K, infer V> ? Map<K, V> : never;
type Stored = { -readonly [N in QueryName]: Mutable<Answers[N]> };

export function openFeed(
  client: MeshClient,
  clock: Clock,
  wants: (data: Data) => readonly Want[],
  changed: () => void,
): Feed {
  let answers: Stored = copyOf(noAnswers);
  const refusals = new Map<string, string>();
  const underWay = new Set<string>();
  const loads = new Map<string, (number | null)[]>();
  let busy: number[] = [];
  let sampledAt = -Infinity;
  let heardAt: number | null = null;
  const startedAt = clock.monotonic();
  let stopped = false;
  let cancel = () => {};

  function link(): LinkState {
    const status = client.status();
    if (status !== "connected") return status;
    const since = clock.monotonic() - (heardAt ?? startedAt);
    if (since > silentMs) return "silent";
    return heardAt === null ? "connecting" : "live";
  }

  function data(): Data {
    return {
      link: link(),
      ageMs: heardAt === null ? null : clock.monotonic() - heardAt,
      answers,
      refusals,
      loads,
      busy,
    };
  }

  async function ask<N extends QueryName>(of: Want<N>): Promise<void> {
    const key = wantKey(of);
    if (underWay.has(key)) return;
    underWay.add(key);
    try {
      const outcome = await client.query(of.name, of.body);
      if (stopped) return;
      if (outcome.ok) {
        refusals.delete(key);
        const kept: Map<string, Answer<N>> = answers[of.name];
        kept.set(key, { value: outcome.value, at: clock.monotonic() });
        heardAt = clock.monotonic();
        sample();
        // What hangs on this answer (the trials of the first sweep) need not wait for the next poll.
        askAll("unknown");
      } else {
        refusals.set(key, outcome.refusal.message);
        // Any other refusal is an answer too: a coordinator is there.
        if (outcome.refusal.code !== "unavailable") heardAt = clock.monotonic();
      }
    } catch (error) {
      refusals.set(key, error instanceof Error ? error.message : String(error));
    } finally {
      underWay.delete(key);
    }
    changed();
  }

  function sample(): void {
    const [newest] = answers.mesh.values();
    const at = clock.monotonic();
    if (newest === undefined || at - sampledAt < sampleMs) return;
    sampledAt = at;
    const mesh: MeshView = newest.value;
    busy = [...busy, mesh.running].slice(-samplesMax);
    for (const agent of mesh.agents) {
      loads.set(agent.agent, [...(loads.get(agent.agent) ?? []), agent.cpuLoad].slice(-samplesMax));
    }
    const present = new Set(mesh.agents.map((each) => each.agent));
    for (const agent of loads.keys()) if (!present.has(agent)) loads.delete(agent);
  }

  function forget(now: Data): void {
    const kept = new Set(wants(now).map(wantKey));
    const oldest = clock.monotonic() - keepMs;
    for (const each of Object.values(answers)) {
      for (const [key, answer] of each) if (!kept.has(key) && answer.at < oldest) each.delete(key);
    }
    for (const key of refusals.keys()) if (!kept.has(key)) refusals.delete(key);
  }

  function askAll(mode: "poll" | "unknown" | "all"): void {
    if (stopped || client.status() !== "connected") return;
    const now = data();
    for (const of of wants(now)) {
      const known: ReadonlyMap<string, { readonly at: number }> = answers[of.name];
      const key = wantKey(of);
      const age = clock.monotonic() - (known.get(key)?.at ?? -Infinity);
      if (of.calm === true && age < calmMs && mode === "poll") continue;
      if (mode !== "unknown" || (!known.has(key) && !refusals.has(key))) void ask(of);
    }
  }

  function tick(): void {
    if (stopped) return;
    askAll("poll");
    forget(data());
    changed();
    cancel = clock.setTimer(pollMs, tick);
  }

  const unlisten = client.onStatus(() => {
    askAll("all");
    changed();
  });
  cancel = clock.setTimer(0, tick);

  return {
    data,
    refresh: () => askAll("unknown"),
    askAgain: () => askAll("all"),
    stop() {
      stopped = true;
      cancel();
      unlisten();
      answers = copyOf(noAnswers);
    },
  };
}

function copyOf(of: Answers): Stored {
  return {
    mesh: new Map(of.mesh),
    sweeps: new Map(of.sweeps),
    sweep: new Map(of.sweep),
    trial: new Map(of.trial),
    curve: new Map(of.curve),
    logs: new Map(of.logs),
    why: new Map(of.why),
    "sweep-why": new Map(of["sweep-why"]),
    insight: new Map(of.insight),
    estimate: new Map(of.estimate),
    datasets: new Map(of.datasets),
    dataset: new Map(of.dataset),
    models: new Map(of.models),
    model: new Map(of.model),
    lineage: new Map(of.lineage),
    resolve: new Map(of.resolve),
    budget: new Map(of.budget),
    events: new Map(of.events),
  };
}
