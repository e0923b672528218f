/** A loaded version with its lane and, where profiles are kept, what watches it. Which name it answers to is the table's. */
import type { Expectation } from "../../data/expectation/expectation.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Lane } from "../../serving/batch/lane.ts";
import type { LaneLimits } from "../../serving/batch/lane-limit.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { knownCategories } from "../../serving/profile/profiled-column.ts";
import { ServingWatch } from "../../serving/profile/serving-watch.ts";
import { WatchedExpectations } from "../../serving/profile/watched-expectation.ts";
import { servedLane } from "../../serving/server/served-lane.ts";
import { ProfileKeeper, type Reference } from "./profile-keeper.ts";

export interface ProfileOptions<M> {
  /** Where profiles are kept; null: they last as long as the program. */
  readonly folder: string | null;
  /** Of the rows that are asked about and the answers. */
  readonly expectations: readonly Expectation[];
  readonly trainedOn: (model: M) => TrainedOn;
}

interface TrainedOn {
  readonly manifest: Manifest | null;
  readonly reference: () => Promise<Reference | null>;
}

interface WatchedLaneOptions<M> {
  /** Left out where nothing is to be watched. */
  readonly profiles?: ProfileOptions<M>;
  readonly limits?: LaneLimits;
  readonly say: (line: string) => void;
}

export class WatchedLanes<M extends ServedModel> {
  readonly #profiles: ProfileOptions<M> | null;
  readonly #limits: LaneLimits | null;
  readonly #say: (line: string) => void;
  readonly #keeper: ProfileKeeper;
  readonly #ends = new Map<Lane, () => Promise<void>>();

  constructor({ limits, profiles, say }: WatchedLaneOptions<M>) {
    this.#profiles = profiles ?? null;
    this.#limits = limits ?? null;
    this.#say = say;
    this.#keeper = new ProfileKeeper({ folder: profiles?.folder ?? null, say });
  }

  /** What is expected, asked of this version's columns; refused where it has none such. */
  expectationsOf({ signature }: ServedModel): Outcome<WatchedExpectations | null> {
    const expected = this.#profiles?.expectations ?? [];
    return expected.length === 0 ? accept(null) : WatchedExpectations.of(expected, signature);
  }

  laneFor(model: M): Lane {
    const watch = this.#watchFor(model);
    const lane = servedLane(model, {
      ...(this.#limits === null ? {} : { limits: this.#limits }),
      say: this.#say,
      watch: watch?.watch,
    });
    if (watch !== null) this.#ends.set(lane, watch.end);
    return lane;
  }

  /** Of a lane that has answered its last: what it saw is kept. */
  async end(lane: Lane): Promise<void> {
    await this.#ends.get(lane)?.();
    this.#ends.delete(lane);
  }

  /** What was seen since it was kept last. */
  keep(): Promise<void> {
    return this.#keeper.keep();
  }

  #watchFor(model: M) {
    const profiles = this.#profiles;
    if (profiles === null) return null;
    const expectations = this.expectationsOf(model);
    const { manifest, reference } = profiles.trainedOn(model);
    const watch = new ServingWatch({
      title: `${model.model}@${model.version}`,
      signature: model.signature,
      known: knownCategories(manifest),
      expectations: expectations.ok ? expectations.value : null,
      now: () => performance.now(),
      wallNow: Date.now,
    });
    return { watch, end: this.#keeper.watch(model, watch, reference) };
  }
}
