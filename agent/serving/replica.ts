/**
 * A deployment's replica in its process: loads what it is to answer with, answers on loopback whoever knows its secret, and changes over while it answers. Not
 * here: where the files come from (the agent), and who may ask (the agent's door).
 *
 * SERVED-1: another revision is loaded beside the one that answers, answers an example, and takes its place; the old one answers what it was asked.
 * One that cannot be loaded is said, and the old one goes on. An older revision than the newest heard of changes nothing.
 * SERVED-4: where the first cannot be loaded the replica has failed, here alone if its files or this machine are at fault.
 */
import { randomBytes } from "node:crypto";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { ReplicaState, Serving } from "../../protocol/deployment.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { answerIds } from "../../serving/server/answer-id.ts";
import { secretBytes } from "../../serving/server/knock.ts";
import { ModelTable } from "../../serving/server/model-table.ts";
import type { RolloutDesk } from "../../serving/server/rollout-desk.ts";
import { openServingDoor, type ServingDoor } from "../../serving/server/serving-door.ts";
import type { Job } from "../runner/runner.ts";
import type { FromChild } from "../runner/wire.ts";
import { WorkClock } from "../runner/work-clock.ts";
import { loadPlaces, type Loaded } from "./load-place.ts";
import { openTrial, trialSeen } from "./open-trial.ts";

export type ReplicaJob = Job & { readonly serving: Serving };

/** What was asked before its end is answered within this. */
const drainMs = 3_000;
/** Between two words of how much was asked, ms. */
const sayMs = 1_000;
/** The same while a version is on trial. */
const sayTrialMs = 250;
/** Statuses from here on are for a reason on this side; 429 too. */
const ownFaultFrom = 500;

interface Wanted {
  readonly serving: Serving;
  readonly parts: Job["parts"];
}

export class Replica {
  readonly #job: ReplicaJob;
  readonly #emit: (event: FromChild) => void;
  readonly #clock = new WorkClock();
  readonly #table: ModelTable;
  readonly #secret = randomBytes(secretBytes);
  #door: ServingDoor | null = null;
  #state: ReplicaState = { revision: null, requests: 0, failed: 0 };
  #saidRequests = 0;
  /** The newest that was heard of and is not tried yet. */
  #next: Wanted | null = null;
  #isLoading = false;
  #isStopping = false;
  #timer: NodeJS.Timeout | undefined;
  #desk: RolloutDesk | null = null;

  constructor(job: ReplicaJob, emit: (event: FromChild) => void) {
    this.#job = job;
    this.#emit = emit;
    this.#table = new ModelTable(Math.random, job.serving.deployment);
  }

  /** Answers, or has failed, when it resolves. */
  async start(): Promise<void> {
    const { fence } = this.#job;
    const opened = await this.#open().catch((error: unknown) => refuse("unavailable", errorSentence(error)));
    if (this.#isStopping) return;
    if (!opened.ok) {
      const { code, message } = opened.refusal;
      const reason = `${this.#job.serving.deployment}: ${message}`;
      const retryable = code === "unavailable";
      return this.#emit({ kind: "failed", fence, reason, retryable, ...this.#clock.lap() });
    }
    this.#door = opened.value;
    this.#emit({ kind: "started", fence, exact: true, ...this.#clock.lap() });
    this.#say();
    this.#sayNowAndThen();
    await this.#takeNext();
  }

  async take(serving: Serving, parts: Job["parts"]): Promise<void> {
    const newest = Math.max(this.#state.revision ?? 0, this.#next?.serving.revision ?? 0);
    if (serving.revision <= newest) return;
    this.#next = { serving, parts };
    await this.#takeNext();
  }

  /** Answers what it was asked, and ends. */
  async stop(): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    clearTimeout(this.#timer);
    await this.#door?.drain(drainMs);
    const { fence, fromResource: resource } = this.#job;
    const nothing = { path: null, digest: null, bytes: 0, metrics: {} };
    this.#emit({ kind: "stopped", fence, resource, ...nothing, ...this.#clock.lap() });
  }

  async #open(): Promise<Outcome<ServingDoor>> {
    const { parts, serving } = this.#job;
    const loaded = await loadPlaces(serving, parts, [], say);
    if (!loaded.ok) return loaded;
    this.#answerWith(serving, loaded.value);
    return openServingDoor({
      ...{ address: { host: "127.0.0.1", port: 0 }, keys: null, tls: null },
      ...{ table: this.#table, secret: this.#secret, newId: answerIds(), now: () => performance.now() },
      onEnd: (status) => {
        const failed = status >= ownFaultFrom || status === 429 ? 1 : 0;
        const { requests } = this.#state;
        this.#state = { ...this.#state, requests: requests + 1, failed: this.#state.failed + failed };
      },
    });
  }

  async #takeNext(): Promise<void> {
    if (this.#isLoading || this.#door === null || this.#isStopping) return;
    this.#isLoading = true;
    for (let next = this.#next; next !== null && !this.#isStopping; next = this.#next) {
      this.#next = null;
      await this.#changeTo(next);
    }
    this.#isLoading = false;
  }

  async #changeTo({ parts, serving }: Wanted): Promise<void> {
    const loaded = await loadPlaces(serving, parts, this.#table.places, say).catch((error: unknown) =>
      refuse("unavailable", errorSentence(error)),
    );
    if (!loaded.ok) {
      const trouble = `revision ${serving.revision} cannot answer: ${loaded.refusal.message}`;
      say(`${trouble}; revision ${this.#state.revision ?? 0} goes on`);
      this.#state = { ...this.#state, trouble };
      return this.#say();
    }
    this.#answerWith(serving, loaded.value);
    say(`${serving.deployment} answers with revision ${serving.revision}`);
    this.#say();
  }

  /** From now on; the old ones drain by themselves. */
  #answerWith(serving: Serving, loaded: Loaded): void {
    void this.#table.endTrials();
    void this.#table.replace(loaded.places);
    const { revision } = serving;
    const { canary, trouble } = loaded;
    this.#desk = openTrial(serving, loaded, (why) => {
      if (canary === null) return;
      void this.#table.remove(canary.reference);
      say(`${canary.reference} is taken back here and answers nobody any more: ${why}`);
      this.#say();
    });
    if (this.#desk !== null) this.#table.try(this.#desk);
    const { failed, requests } = this.#state;
    this.#state = { revision, requests, failed, ...(trouble === null ? null : { trouble }) };
    if (trouble !== null) say(trouble);
  }

  #sayNowAndThen(): void {
    const afterMs = this.#desk === null ? sayMs : sayTrialMs;
    this.#timer = setTimeout(() => {
      if (this.#desk !== null || this.#state.requests !== this.#saidRequests) this.#say();
      this.#sayNowAndThen();
    }, afterMs);
  }

  #say(): void {
    if (this.#door === null) return;
    this.#saidRequests = this.#state.requests;
    const { port } = this.#door;
    const secret = this.#secret.toString("hex");
    const { revision } = this.#state;
    const seen = this.#desk === null || revision === null ? null : trialSeen(this.#desk, revision);
    const replica = { ...this.#state, ...(seen === null ? null : { seen }) };
    this.#emit({ kind: "serving", fence: this.#job.fence, port, secret, replica });
  }
}

/** A line of its log. */
function say(line: string): void {
  console.log(line);
}
