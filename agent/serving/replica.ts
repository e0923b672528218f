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
import { openServingDoor, type ServingDoor } from "../../serving/server/serving-door.ts";
import type { Job } from "../runner/runner.ts";
import type { FromChild } from "../runner/wire.ts";
import { WorkClock } from "../runner/work-clock.ts";
import { loadPlaces } from "./load-place.ts";

export type ReplicaJob = Job & { readonly serving: Serving };

/** What was asked before its end is answered within this. */
const drainMs = 3_000;
/** Between two words of how much was asked, ms. */
const sayMs = 1_000;
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
    this.#timer = setInterval(() => {
      if (this.#state.requests !== this.#saidRequests) this.#say();
    }, sayMs);
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
    clearInterval(this.#timer);
    await this.#door?.drain(drainMs);
    const { fence, fromResource: resource } = this.#job;
    const nothing = { path: null, digest: null, bytes: 0, metrics: {} };
    this.#emit({ kind: "stopped", fence, resource, ...nothing, ...this.#clock.lap() });
  }

  async #open(): Promise<Outcome<ServingDoor>> {
    const { parts, serving } = this.#job;
    const loaded = await loadPlaces(serving, parts, [], say);
    if (!loaded.ok) return loaded;
    await this.#table.replace(loaded.value);
    this.#state = { ...this.#state, revision: serving.revision };
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
    // The old ones drain by themselves.
    void this.#table.replace(loaded.value);
    const { failed, requests } = this.#state;
    this.#state = { revision: serving.revision, requests, failed };
    say(`${serving.deployment} answers with revision ${serving.revision}`);
    this.#say();
  }

  #say(): void {
    if (this.#door === null) return;
    this.#saidRequests = this.#state.requests;
    const { port } = this.#door;
    const secret = this.#secret.toString("hex");
    this.#emit({ kind: "serving", fence: this.#job.fence, port, secret, replica: this.#state });
  }
}

/** A line of its log. */
function say(line: string): void {
  console.log(line);
}
