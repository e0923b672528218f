/**
 * ROLL-2, ROLL-5, ROLL-6, ROLL-7. A rollout with the lanes of its versions: sends a caller to the incumbent or the canary, has the others asked the same, and keeps what
 * they said for comparison. What is concluded is `serving/rollout`.
 */
import type { Lane } from "../batch/lane.ts";
import { standInFault } from "../model/same-signature.ts";
import type { Answers } from "../model/served-model.ts";
import type { AskedRows } from "../protocol/asked-rows.ts";
import type { Reading } from "../protocol/http-refusal.ts";
import type { RolloutRole } from "../rollout/answer-memory.ts";
import type { Verdict } from "../rollout/comparison.ts";
import { comparedRowsMax, hearAnswer, type KnownTruth } from "../rollout/heard-answer.ts";
import { Rollout, type Feedback, type RolloutOptions } from "../rollout/rollout.ts";
import { CopyQueue, type CopyQueueOptions } from "./copy-queue.ts";

export interface RolloutDeskOptions
  extends
    Pick<RolloutOptions, "agreement" | "alpha" | "copyShare" | "promoteAfter" | "onPromote">,
    Pick<CopyQueueOptions, "now" | "defer"> {
  readonly incumbent: Lane;
  readonly canary: { readonly lane: Lane; readonly share: number } | null;
  readonly shadow: Lane | null;
  /** How long a caller waits for a canary before the incumbent is asked, and the canary has failed. */
  readonly canaryPatienceMs?: number;
  /** The canary takes no request from now on: null where the incumbent is its version by now. */
  readonly onCanaryOff: (why: Verdict | string | null) => void;
}

const canaryPatienceMs = 5_000;

export class RolloutDesk {
  readonly model: string;
  readonly rollout: Rollout;
  /** What a canary is judged by is asked beside callers, and a shadow while nobody waits. */
  readonly #comparing: CopyQueue;
  readonly #shadowing: CopyQueue;
  /** What is asked of both alone, to time them; one request at a time. */
  readonly #dueling: CopyQueue;
  #isDueling = false;
  readonly options: RolloutDeskOptions;
  #incumbent: Lane;
  #shadow: Lane | null;
  #epoch = 0;

  constructor(options: RolloutDeskOptions) {
    const { canary, defer, incumbent, now, onCanaryOff, shadow } = options;
    this.options = options;
    this.model = incumbent.described.model.model;
    this.#incumbent = incumbent;
    this.#shadow = shadow;
    this.rollout = new Rollout({
      ...options,
      canaryShare: canary?.share ?? null,
      hasShadow: shadow !== null,
      onRollback: onCanaryOff,
    });
    this.#comparing = new CopyQueue({ now, defer, isBusy: () => false });
    const whileIdle = { now, defer, isBusy: () => this.#isBusy() };
    this.#shadowing = new CopyQueue(whileIdle);
    this.#dueling = new CopyQueue(whileIdle);
  }

  get patienceMs(): number {
    return this.options.canaryPatienceMs ?? canaryPatienceMs;
  }

  get copies(): { readonly waiting: number; readonly dropped: number } {
    const [one, other] = [this.#comparing, this.#shadowing];
    return { waiting: one.waiting + other.waiting, dropped: one.dropped + other.dropped };
  }

  get incumbent(): Lane {
    return this.#incumbent;
  }

  /** Null where there is none, or none any more. */
  get shadow(): Lane | null {
    return this.#shadow;
  }

  /** Another version has taken the incumbent's place. */
  see(lane: Lane): void {
    const { canary, onCanaryOff } = this.options;
    if (lane === this.#incumbent) return;
    this.#incumbent = lane;
    this.#epoch++;
    this.#clear();
    const challenger = canary?.lane ?? this.#shadow;
    const differs =
      challenger === null ? null : standInFault(lane.described.model, challenger.described.model);
    const isOn = this.rollout.isCanaryOn;
    const isPromoted = canary?.lane.described.model.version === lane.described.model.version;
    if (differs !== null || isPromoted) this.rollout.end(isPromoted ? "promoted" : "ended");
    if (isOn && !this.rollout.isCanaryOn)
      onCanaryOff(
        isPromoted ? null : `${lane.described.reference} answers now, beside which ${differs ?? ""}`,
      );
    const isShadows = this.#shadow?.described.model.version === lane.described.model.version;
    if (differs !== null || isShadows) void this.#endShadow();
    this.rollout.begin();
  }

  /** Who answers a caller who names no version. */
  laneFor(id: string): Lane {
    const { canary } = this.options;
    return canary !== null && this.rollout.roleFor(id) === "canary" ? canary.lane : this.#incumbent;
  }

  isCanary(lane: Lane): boolean {
    return lane === this.options.canary?.lane;
  }

  /** A caller has been answered by one of the two, `ms` after it was asked; the others are asked the same. */
  answered(id: string, lane: Lane, rows: AskedRows, answer: Reading<Answers>, ms: number): void {
    const role = this.#hear(id, lane, rows.count, answer);
    if (role === "incumbent" || role === "canary") {
      if (answer.ok) this.rollout.timed(role, ms);
      for (const other of this.rollout.copiesFor(id, role)) this.#copy(id, other, rows);
    }
    if (role !== null && answer.ok) this.#duel(id, rows);
    this.#wake();
  }

  /** A canary has no answer; the incumbent is asked in its place, and its caller hears that. */
  failed(id: string, lane: Lane, rows: AskedRows, answer: Reading<Answers>): void {
    this.#hear(id, lane, rows.count, answer);
  }

  /** The truth of an answer, by the end of its id. */
  tell(id: string, truth: KnownTruth): Feedback {
    return this.rollout.tell(id, truth);
  }

  async close(): Promise<void> {
    this.#clear();
    this.rollout.end("ended");
    await this.#endShadow();
  }

  /** There may be time now for what waits for it. */
  #wake(): void {
    this.#dueling.wake();
    this.#shadowing.wake();
  }

  #clear(): void {
    for (const queue of [this.#comparing, this.#shadowing, this.#dueling]) queue.clear();
    this.#isDueling = false;
  }

  async #endShadow(): Promise<void> {
    const shadow = this.#shadow;
    this.#shadow = null;
    await shadow?.retire();
  }

  /** Null where it is no version of this rollout any more, or was asked too much to answer. */
  #hear(id: string, lane: Lane, rows: number, answer: Reading<Answers>): RolloutRole | null {
    const role = this.#roleOf(lane);
    const heard = hearAnswer(answer, rows, lane.described.model.signature.labels?.length ?? 1);
    if (role === null || heard === null) return null;
    this.rollout.heard(id, role, rows, heard);
    return role;
  }

  #roleOf(lane: Lane): RolloutRole | null {
    if (lane === this.#incumbent) return "incumbent";
    if (lane === this.#shadow) return "shadow";
    return this.isCanary(lane) ? "canary" : null;
  }

  #copy(id: string, role: RolloutRole, rows: AskedRows): void {
    const epoch = this.#epoch;
    const isWanted = () => epoch === this.#epoch;
    const copies = role === "shadow" ? this.#shadowing : this.#comparing;
    copies.add({
      rows: firstRows(rows),
      lane: () => (isWanted() ? this.#laneOf(role) : null),
      heard: (answer) => {
        this.#wake();
        const lane = this.#laneOf(role);
        if (!isWanted() || lane === null) return;
        const kept = hearAnswer(
          answer,
          Math.min(rows.count, comparedRowsMax),
          lane.described.model.signature.labels?.length ?? 1,
        );
        if (kept !== null) this.rollout.heard(id, role, rows.count, kept);
      },
    });
  }

  /** While nobody waits, one after the other, each as often first; who is not alone meanwhile is as often the one as the other. */
  #duel(id: string, rows: AskedRows): void {
    const order = this.#isDueling ? null : this.rollout.duelFor(id);
    if (order === null) return;
    const epoch = this.#epoch;
    const taken = new Map<RolloutRole, number>();
    const { now } = this.options;
    this.#isDueling = true;
    const askNext = () => {
      const role = order[taken.size];
      const [incumbent, canary] = [taken.get("incumbent"), taken.get("canary")];
      if (incumbent !== undefined && canary !== undefined) this.rollout.dueled(incumbent, canary);
      if (role === undefined) {
        this.#isDueling = false;
        return;
      }
      let started = 0;
      this.#dueling.add({
        rows: firstRows(rows),
        lane: () => {
          started = now();
          return epoch === this.#epoch ? this.#laneOf(role) : null;
        },
        heard: (answer) => {
          taken.set(role, now() - started);
          if (epoch !== this.#epoch) return;
          if (answer.ok) askNext();
          else this.#isDueling = false;
        },
      });
    };
    askNext();
  }

  #laneOf(role: RolloutRole): Lane | null {
    switch (role) {
      case "incumbent":
        return this.#incumbent;
      case "shadow":
        return this.#shadow;
      case "canary":
        return this.rollout.isCanaryOn ? (this.options.canary?.lane ?? null) : null;
    }
  }

  #isBusy(): boolean {
    const { canary } = this.options;
    return [this.#incumbent, canary?.lane ?? null, this.#shadow].some((lane) => (lane?.queued ?? 0) > 0);
  }
}

/** As many as are compared. */
function firstRows(rows: AskedRows): AskedRows {
  if (rows.count <= comparedRowsMax) return rows;
  if (rows.kind === "texts")
    return { kind: "texts", count: comparedRowsMax, texts: rows.texts.slice(0, comparedRowsMax) };
  const columns = new Map(
    [...rows.rows.columns].map(([name, values]) => [name, values.slice(0, comparedRowsMax)]),
  );
  return { kind: "table", count: comparedRowsMax, rows: { count: comparedRowsMax, columns } };
}
