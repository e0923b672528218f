/**
 * ROLL-2, ROLL-5, ROLL-6. One model with versions on trial beside the one that it has: which requests a canary answers, who else is asked for the sake of comparison,
 * and the end: back to the incumbent as soon as the evidence is enough, or on to the canary. No sockets, no clock, no chance; lanes and
 * the registry are others' affair. A shadow is only told of.
 */
import { AnswerMemory, type RolloutRole } from "./answer-memory.ts";
import { Comparison, type ComparisonOptions, type Verdict } from "./comparison.ts";
import type { HeardAnswer, KnownTruth } from "./heard-answer.ts";
import { isInShare } from "./share-split.ts";

export interface RolloutOptions extends ComparisonOptions {
  /** Of the callers' requests, 0 to 1; null where there is no canary. */
  readonly canaryShare: number | null;
  readonly hasShadow: boolean;
  /** Of the requests, 0 to 1: who is asked beside the version that answers the caller. */
  readonly copyShare: number;
  /** Pairs without evidence against the canary after which it is to be promoted; null where nobody wants that. */
  readonly promoteAfter: number | null;
  readonly onRollback: (verdict: Verdict) => void;
  readonly onPromote: (why: string) => void;
}

export type RolloutState = "running" | "promoting" | "rolled-back" | "promoted" | "ended";

/** What became of a truth that was told. */
export type Feedback = "counted" | "unknown" | "told-before" | "rows-differ";

/** Of the requests, those that are asked twice more, alone, to time them. */
const duelShare = 0.1;

export class Rollout {
  readonly #options: RolloutOptions;
  readonly #memory = new AnswerMemory();
  #state: RolloutState = "running";
  #verdict: Verdict | null = null;
  #canary: Comparison | null = null;
  #shadow: Comparison | null = null;
  #isPromotionTried = false;

  constructor(options: RolloutOptions) {
    this.#options = options;
    this.begin();
  }

  get state(): RolloutState {
    return this.#state;
  }

  get verdict(): Verdict | null {
    return this.#verdict;
  }

  /** What a canary and a shadow have shown so far; null where there is none. */
  comparison(role: "canary" | "shadow"): Comparison | null {
    return role === "canary" ? this.#canary : this.#shadow;
  }

  get isCanaryOn(): boolean {
    return this.#canary !== null && (this.#state === "running" || this.#state === "promoting");
  }

  /** All that was seen was seen beside another incumbent: it begins anew. */
  begin(): void {
    this.#memory.clear();
    if (this.#options.canaryShare !== null && (this.#canary === null || this.isCanaryOn))
      this.#canary = new Comparison(this.#options);
    if (this.#options.hasShadow) this.#shadow = new Comparison(this.#options);
    if (this.#state === "promoting") this.#state = "running";
  }

  /** The canary takes no more requests, for a reason that is not in the evidence. */
  end(state: "promoted" | "ended"): void {
    if (this.isCanaryOn) this.#state = state;
  }

  /** The alias could not be moved to it: the trial goes on, and nobody tries again. */
  stayOnTrial(): void {
    if (this.#state === "promoting") this.#state = "running";
  }

  /** Who answers a caller. */
  roleFor(id: string): "incumbent" | "canary" {
    const { canaryShare } = this.#options;
    if (canaryShare === null || !this.isCanaryOn) return "incumbent";
    return isInShare(id, canaryShare, "caller") ? "canary" : "incumbent";
  }

  /** Who is to be asked the same rows beside whoever answered the caller. */
  copiesFor(id: string, answered: "incumbent" | "canary"): readonly RolloutRole[] {
    const roles: RolloutRole[] = [];
    if (!isInShare(id, this.#options.copyShare, "copy")) return roles;
    if (answered === "canary") roles.push("incumbent");
    else if (this.isCanaryOn) roles.push("canary");
    if (this.#shadow !== null) roles.push("shadow");
    return roles;
  }

  /** Milliseconds from when it was asked to a caller's answer. */
  timed(role: "incumbent" | "canary", ms: number): void {
    if (!this.isCanaryOn) return;
    this.#canary?.answered(role === "canary" ? "challenger" : "incumbent", ms);
    this.#judge();
  }

  /** In which order the incumbent and the canary are asked the same alone to time them; null where they are not. */
  duelFor(id: string): readonly ["incumbent" | "canary", "incumbent" | "canary"] | null {
    if (this.#state !== "running" || this.#canary === null || !isInShare(id, duelShare, "duel")) return null;
    return isInShare(id, 1 / 2, "order") ? ["incumbent", "canary"] : ["canary", "incumbent"];
  }

  /** How long the two took then, in milliseconds. */
  dueled(incumbentMs: number, canaryMs: number): void {
    if (!this.isCanaryOn) return;
    this.#canary?.alone(incumbentMs, canaryMs);
    this.#judge();
  }

  /** `rows`: of the whole request; `heard` is what is kept of them. */
  heard(id: string, role: RolloutRole, rows: number, heard: HeardAnswer): void {
    const answer = this.#memory.take(id, rows);
    if (answer.heard[role] !== null) return;
    answer.heard[role] = heard;
    for (const challenger of ["canary", "shadow"] as const)
      if (role === "incumbent" || role === challenger) this.#pair(id, challenger);
    this.#judge();
  }

  /** A truth of each row of the answer with this id. */
  tell(id: string, truth: KnownTruth): Feedback {
    const answer = this.#memory.find(id);
    if (answer === null) return "unknown";
    if (answer.truth !== null) return "told-before";
    if (answer.rows !== truth.length) return "rows-differ";
    answer.truth = truth;
    for (const challenger of ["canary", "shadow"] as const) this.#tellTruth(id, challenger);
    this.#judge();
    return "counted";
  }

  #pair(id: string, challenger: "canary" | "shadow"): void {
    const both = this.#bothOf(id, challenger);
    if (both === null) return;
    this.comparison(challenger)?.pair(both.incumbent, both.challenger);
    this.#tellTruth(id, challenger);
  }

  /** Where it is known. */
  #tellTruth(id: string, challenger: "canary" | "shadow"): void {
    const both = this.#bothOf(id, challenger);
    if (both === null || both.truth === null) return;
    this.comparison(challenger)?.truth(both.incumbent, both.challenger, both.truth);
  }

  /** Null where one has not answered yet, or is off. */
  #bothOf(id: string, role: "canary" | "shadow") {
    if (role === "canary" && !this.isCanaryOn) return null;
    const answer = this.#memory.find(id);
    const incumbent = answer?.heard.incumbent ?? null;
    const challenger = answer?.heard[role] ?? null;
    if (answer === null || incumbent === null || challenger === null) return null;
    return { incumbent, challenger, truth: answer.truth };
  }

  #judge(): void {
    const canary = this.#canary;
    // What is being promoted is judged no more: the alias cannot be moved two ways at once.
    if (canary === null || this.#state !== "running") return;
    const { verdict } = canary;
    const { onPromote, onRollback, promoteAfter } = this.#options;
    if (verdict !== null) {
      this.#verdict = verdict;
      this.#state = "rolled-back";
      return onRollback(verdict);
    }
    if (promoteAfter === null || this.#isPromotionTried || canary.counts.pairs < promoteAfter) return;
    this.#state = "promoting";
    this.#isPromotionTried = true;
    onPromote(
      `${canary.counts.pairs} requests were answered beside the incumbent without enough evidence against it`,
    );
  }
}
