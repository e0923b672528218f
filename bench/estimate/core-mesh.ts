/** A mesh of the coordinator's core alone: three agents in simulated time, whose attempts take what the work says. No process, no network. */
import { decide, run } from "../../coordinator/core/decide.ts";
import { schedule } from "../../coordinator/core/schedule.ts";
import type { Event } from "../../coordinator/format/event.ts";
import { proposalsFrom, questionFor } from "../../coordinator/leader/proposer.ts";
import type { Input } from "../../coordinator/state/input.ts";
import { settingsFor } from "../../coordinator/state/setting.ts";
import {
  activeAttempt,
  emptyState,
  mustGet,
  type Attempt,
  type State,
  type Sweep,
  type Trial,
} from "../../coordinator/state/state.ts";
import { openPolicy } from "../../protocol/capability.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { randomStream, type RandomStream } from "../../search/space/random-stream.ts";
import { answerTo } from "../../search/choose/sampler-worker-port.ts";
import type { Work } from "./work.ts";

/** Leases that nothing outlives: how they are extended is not what is measured. */
const settings = settingsFor(3_600_000);
const grant = 1e12;
/** What each machine claims, and how fast it is. */
const machines = [
  { name: "slow", claims: 0.5, is: 0.45, slots: 1 },
  { name: "middle", claims: 1, is: 1.1, slots: 2 },
  { name: "fast", claims: 2.2, is: 2, slots: 2 },
] as const;

interface Times {
  readonly beginMs: number;
  readonly oneMs: number;
  readonly epochs: number;
  readonly allMs: number;
}

interface Planned {
  readonly at: number;
  readonly trial: Trial;
  readonly attempt: Attempt;
  readonly times: Times;
}

export class CoreMesh {
  readonly state: State = emptyState();
  readonly #work: Work;
  readonly #random: RandomStream;
  #at = 1_000_000;
  #keys = 0;

  constructor(work: Work, seed: number) {
    this.#work = work;
    this.#random = randomStream(seed, "bench/estimate", 0);
    this.#command("account-open", { requester: "ada", weight: 1, grant });
    for (const { claims, name, slots } of machines) this.#join(name, claims, slots);
  }

  /** Runs the sweep to its end. */
  run(spec: SweepSpec): Sweep {
    const id = `s${this.state.meta.nextSweep}`;
    this.#command("sweep-run", { spec });
    const ends = new Map<number, Planned>();
    for (;;) {
      for (const [fence, trialId] of this.state.active) {
        if (ends.has(fence)) continue;
        const trial = mustGet(this.state.trials, trialId, "trial");
        const attempt = activeAttempt(trial);
        if (attempt === null) continue;
        const times = this.#times(trial, attempt);
        ends.set(fence, { at: this.#at + times.allMs, trial, attempt, times });
      }
      const next = [...ends].toSorted(([, a], [, b]) => a.at - b.at)[0];
      if (next === undefined) return mustGet(this.state.sweeps, id, "sweep");
      ends.delete(next[0]);
      this.#at = Math.max(this.#at, next[1].at);
      if (this.state.active.has(next[0])) this.#finish(next[1]);
    }
  }

  #times({ model, params, sweep }: Trial, { agent, from, target }: Attempt): Times {
    const { coldMs, epochMs, startMs } = this.#work;
    const speed = machines.find(({ name }) => name === agent)?.is ?? 1;
    const known = mustGet(this.state.sweeps, sweep, "sweep").pace[model]?.[agent];
    const jitter = () => (0.9 + 0.2 * this.#random.next()) / speed;
    const beginMs = (startMs + (known === undefined ? coldMs : 0)) * jitter();
    const oneMs = epochMs(params) * jitter();
    const epochs = target - (from?.resource ?? 0);
    return { beginMs, oneMs, epochs, allMs: Math.ceil(beginMs + epochs * oneMs) };
  }

  #finish({ attempt, times, trial }: Planned): void {
    const { allMs, beginMs, epochs, oneMs } = times;
    // As the end was planned, so it comes: what has passed is what was used.
    const usedMs = Math.min(allMs, this.#at - attempt.at);
    const pace = {
      startMs: this.#work.saysBegin ? Math.min(beginMs, usedMs) : 0,
      firstMs: Math.min(usedMs, beginMs + oneMs),
      ...(epochs > 1 ? { epochMs: oneMs } : {}),
    };
    const [lr, width] = [Number(trial.params["lr"]), Number(trial.params["width"])];
    const quality = 1 - (lr - 0.4) ** 2 - Math.abs(width - 20) / 200;
    const noise = ((trial.number * 31 + attempt.target * 17) % 13) / 500;
    const score = quality * (1 - Math.exp(-attempt.target / 3)) + noise;
    const digest = attempt.fence.toString(16).padStart(64, "0");
    const kept = { resource: attempt.target, digest, bytes: 1, metrics: { score }, usedMs, pace };
    const report = { kind: "finished", fence: attempt.fence, ...kept } as const;
    this.#do({ kind: "report", agent: attempt.agent, report });
  }

  #join(agent: string, claims: number, slots: number): void {
    const kind = `bench/${this.#work.name}`;
    const rate = { kind, backend: "cpu", examplesPerSecond: 1_000, tokensPerSecond: claims } as const;
    const host = {
      os: "linux",
      arch: "x64",
      cpuModel: agent,
      cores: 4,
      memGiB: 8,
      diskGiB: 50,
      gpus: [],
      cpuFeatures: [],
    };
    const backend = { name: "cpu", works: true, reason: null, version: null, dtypes: ["f32"] } as const;
    const capability = {
      ...{ host, node: "24", backends: [{ ...backend, dtypes: [...backend.dtypes] }], rates: [rate] },
      ...{ labels: {}, python: null },
    };
    const register = { incarnation: agent, capability, policy: openPolicy(slots) };
    this.#do({ kind: "register", agent, register });
  }

  #command(name: "account-open" | "sweep-run", body: unknown): void {
    const sender = { role: "owner", who: "ada" } as const;
    this.#do({ kind: "command", key: String(++this.#keys), sender, name, body });
  }

  #do(input: Input): void {
    const events: Event[] = [];
    const answer = run(this.state, decide(this.state, input, this.#at, settings), this.#at, events);
    if (answer?.ok !== true) throw new Error(answer === null ? "cut short" : answer.refusal.message);
    const settle = () => {
      while (run(this.state, schedule(this.state, this.#at, settings), this.#at, events));
    };
    settle();
    for (let id = [...this.state.wanting][0]; id !== undefined; id = [...this.state.wanting][0]) {
      const sweep = mustGet(this.state.sweeps, id, "sweep");
      const proposals = proposalsFrom(sweep, sweep.proposed, answerTo(questionFor(this.state, sweep)));
      run(
        this.state,
        decide(this.state, { kind: "proposals", proposals }, this.#at, settings),
        this.#at,
        events,
      );
      settle();
    }
  }
}
