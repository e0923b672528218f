/**
 * Polls what the visible screen wants, twice a second, never two requests for the same thing at once.
 * While the server is away it asks nothing and keeps what it has; it resumes by itself.
 */
import type { MeshClient } from "../protocol/client.ts";
import type { Clock } from "../protocol/time/clock.ts";
import type { QueryName } from "../protocol/command.ts";
import { errorSentence } from "../protocol/error-sentence.ts";
import { LoadHistory } from "./load-history.ts";
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
  return new MeshFeed(client, clock, wants, changed);
}

class MeshFeed implements Feed {
  readonly #client: MeshClient;
  readonly #clock: Clock;
  readonly #wants: (data: Data) => readonly Want[];
  readonly #changed: () => void;
  readonly #startedAt: number;
  readonly #unlisten: () => void;
  readonly #history: LoadHistory;
  #answers: Stored = copyOf(noAnswers);
  readonly #refusals = new Map<string, string>();
  readonly #underWay = new Set<string>();
  #heardAt: number | null = null;
  #stopped = false;
  #cancel: () => void;

  constructor(client: MeshClient, clock: Clock, wants: (data: Data) => readonly Want[], changed: () => void) {
    this.#client = client;
    this.#clock = clock;
    this.#wants = wants;
    this.#changed = changed;
    this.#startedAt = clock.monotonic();
    this.#history = new LoadHistory(clock);
    this.#unlisten = client.onStatus(() => {
      this.#askAll("all");
      changed();
    });
    this.#cancel = clock.setTimer(0, () => this.#tick());
  }

  data(): Data {
    return {
      link: this.#link(),
      ageMs: this.#heardAt === null ? null : this.#clock.monotonic() - this.#heardAt,
      answers: this.#answers,
      refusals: this.#refusals,
      loads: this.#history.loads,
      busy: this.#history.busy,
    };
  }

  refresh(): void {
    this.#askAll("unknown");
  }

  askAgain(): void {
    this.#askAll("all");
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
    this.#unlisten();
    this.#answers = copyOf(noAnswers);
  }

  #link(): LinkState {
    const status = this.#client.status();
    if (status !== "connected") return status;
    const since = this.#clock.monotonic() - (this.#heardAt ?? this.#startedAt);
    if (since > silentMs) return "silent";
    return this.#heardAt === null ? "connecting" : "live";
  }

  #tick(): void {
    if (this.#stopped) return;
    this.#askAll("poll");
    this.#forget(this.data());
    this.#changed();
    this.#cancel = this.#clock.setTimer(pollMs, () => this.#tick());
  }

  #askAll(mode: "poll" | "unknown" | "all"): void {
    if (this.#stopped || this.#client.status() !== "connected") return;
    for (const of of this.#wants(this.data())) {
      const known: ReadonlyMap<string, { readonly at: number }> = this.#answers[of.name];
      const key = wantKey(of);
      const age = this.#clock.monotonic() - (known.get(key)?.at ?? -Infinity);
      if (of.calm === true && age < calmMs && mode === "poll") continue;
      if (mode !== "unknown" || (!known.has(key) && !this.#refusals.has(key))) void this.#ask(of);
    }
  }

  async #ask<N extends QueryName>(of: Want<N>): Promise<void> {
    const key = wantKey(of);
    if (this.#underWay.has(key)) return;
    this.#underWay.add(key);
    try {
      const outcome = await this.#client.query(of.name, of.body);
      if (this.#stopped) return;
      if (outcome.ok) this.#keep(of, { value: outcome.value, at: this.#clock.monotonic() });
      else {
        this.#refusals.set(key, outcome.refusal.message);
        // Any other refusal is an answer too: a coordinator is there.
        if (outcome.refusal.code !== "unavailable") this.#heardAt = this.#clock.monotonic();
      }
    } catch (error) {
      this.#refusals.set(key, errorSentence(error));
    } finally {
      this.#underWay.delete(key);
    }
    this.#changed();
  }

  #keep<N extends QueryName>(of: Want<N>, answer: Answer<N>): void {
    const key = wantKey(of);
    this.#refusals.delete(key);
    const kept: Map<string, Answer<N>> = this.#answers[of.name];
    kept.set(key, answer);
    this.#heardAt = answer.at;
    const [newest] = this.#answers.mesh.values();
    if (newest !== undefined) this.#history.sample(newest.value);
    // What hangs on this answer (the trials of the first sweep) need not wait for the next poll.
    this.#askAll("unknown");
  }

  #forget(now: Data): void {
    const kept = new Set(this.#wants(now).map(wantKey));
    const oldest = this.#clock.monotonic() - keepMs;
    for (const each of Object.values(this.#answers)) {
      for (const [key, answer] of each) if (!kept.has(key) && answer.at < oldest) each.delete(key);
    }
    for (const key of this.#refusals.keys()) if (!kept.has(key)) this.#refusals.delete(key);
  }
}

function copyOf(of: Answers): Stored {
  return {
    mesh: new Map(of.mesh),
    agent: new Map(of.agent),
    sweeps: new Map(of.sweeps),
    sweep: new Map(of.sweep),
    trial: new Map(of.trial),
    curve: new Map(of.curve),
    history: new Map(of.history),
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
    deployments: new Map(of.deployments),
    deployment: new Map(of.deployment),
    budget: new Map(of.budget),
    garbage: new Map(of.garbage),
    holders: new Map(of.holders),
    removal: new Map(of.removal),
    "set-aside": new Map(of["set-aside"]),
    events: new Map(of.events),
  };
}
