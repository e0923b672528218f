/**
 * Looks at what the mesh's store holds, now and then or when somebody asks, hands what could go to the loop, and removes what was
 * collected. Decides nothing, and keeps nothing that matters: after a restart the marks in the state say what is still to be done, and
 * doing it again does no harm (GC-4). The sequence that a removal ends before stands in the state, so one that comes late, of a leader
 * that no longer leads, does not touch what was stored since (GC-5).
 */
import { removeBlob, removePack } from "../../artifact/blob-inventory.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { droppedMax } from "../../protocol/order.ts";
import { plural } from "../../protocol/plural.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { leftByTrials } from "../collect/mention.ts";
import { referredTo } from "../collect/reference.ts";
import { retentionOf } from "../collect/default-retention.ts";
import { eachOf, SurveyMemory, surveyStore, type Unreferred } from "../collect/survey.ts";
import type { Input } from "../state/input.ts";
import { youngMsFor } from "../collect/young.ts";
import { packOfId } from "../state/pack-id.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type Mark, type State } from "../state/state.ts";
import type { BlobProver } from "./blob-prover.ts";
import { StoreTask } from "./store-task.ts";

/** Agents are told of each so often; of more than so many at once none: their caches have a limit of their own. */
const toldTimes = 2;
const droppedKept = 100_000;

export interface CollectorOptions {
  readonly bus: Bus;
  readonly mesh: string;
  readonly clock: Clock;
  readonly state: State;
  readonly settings: Pick<CoordinatorSettings, "collectEveryMs" | "collectRestMs">;
  readonly prover: Pick<BlobProver, "wasTold">;
  /** GC-5: somebody was told that an agent holds it, and has not reported it yet. */
  readonly mayBeNamed: (digest: Digest) => boolean;
  /** What lies at agents and not in the mesh's store, and how long it has; what of it a report may yet name is left out. */
  readonly atAgents: () => Iterable<Unreferred>;
  /** Runs it when the state holds only what is durable. */
  readonly ask: (question: () => void) => void;
  /** Resolves once the input's events are durable. */
  readonly submit: (input: Input) => Promise<void>;
  readonly log: (line: string) => void;
}

/** What the state says at one moment. */
interface Wanted {
  readonly isDue: boolean;
  readonly leaving: readonly Mark[];
  readonly referred: ReadonlySet<Digest>;
  readonly left: ReadonlySet<Digest>;
}

export class Collector {
  readonly #options: CollectorOptions;
  readonly #began: number;
  /** Of the newest whole look, on the monotonic clock. */
  #lookedAt: number;
  readonly #task: StoreTask;
  #closed = false;
  /** Of what was looked at before. */
  readonly memory = new SurveyMemory();
  /** Collected, and how often agents are still told of each. */
  readonly #dropped = new Map<Digest, number>();

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#task = new StoreTask((trouble) => options.log(`what could go cannot be looked at: ${trouble}`));
    this.#began = options.clock.monotonic();
    this.#lookedAt = this.#began - options.settings.collectEveryMs + options.settings.collectRestMs;
  }

  /** To be called again and again; does what is due, one thing after the other. */
  look(): void {
    if (!this.#closed) this.#task.run(() => this.#round());
  }

  close(): void {
    this.#closed = true;
  }

  /** What agents are to be told of now, each a few times: a beacon can be lost. */
  dropped(): readonly Digest[] {
    // REPL-9: what was made again is referred to again.
    for (const digest of this.#dropped.keys())
      if (!this.#options.state.gone.has(digest)) this.#dropped.delete(digest);
    const told = [...this.#dropped].slice(0, droppedMax);
    for (const [digest, times] of told) {
      this.#dropped.delete(digest);
      if (times > 1) this.#dropped.set(digest, times - 1);
    }
    return told.map(([digest]) => digest);
  }

  #noteDropped(artifacts: Mark["artifacts"]): void {
    for (const { digest } of artifacts)
      if (packOfId(digest) === null && this.#dropped.size < droppedKept) this.#dropped.set(digest, toldTimes);
  }

  async #round(): Promise<void> {
    const { state } = this.#options;
    const before = await this.#asked(() => this.#wantedNow());
    for (const mark of before.leaving) await this.#remove(mark);
    if (!before.isDue || this.#closed) return;
    await this.#collect(before);
    const leaving = await this.#asked(() => leavingIn(state));
    for (const mark of leaving) await this.#remove(mark);
  }

  #asked<T>(question: () => T): Promise<T> {
    return new Promise((resolve) => this.#options.ask(() => resolve(question())));
  }

  #wantedNow(): Wanted {
    const { settings, state } = this.#options;
    const leaving = leavingIn(state);
    const sinceMs = this.#options.clock.monotonic() - this.#lookedAt;
    const isRipe =
      this.restMs === 0 &&
      [...state.openMarks].some((number) => {
        const { state: of, until } = mustGet(state.marks, number, "mark");
        return of === "marked" && until <= this.#options.clock.now();
      });
    const isDue = isRipe || state.meta.collection !== undefined || sinceMs >= settings.collectEveryMs;
    if (!isDue) return { isDue, leaving, referred: new Set(), left: new Set() };
    const moment = { state, at: state.meta.at, retention: retentionOf(state) };
    return { isDue, leaving, referred: referredTo(moment), left: leftByTrials(state) };
  }

  /** How long it still removes nothing, ms. */
  get restMs(): number {
    const { clock, settings } = this.#options;
    return Math.max(0, settings.collectRestMs - (clock.monotonic() - this.#began));
  }

  async #collect({ left, referred }: Wanted): Promise<void> {
    const { bus, clock, mayBeNamed, mesh, prover, settings, state, submit } = this.#options;
    const lookedAt = clock.monotonic();
    const goesOn = () => !this.#closed;
    const place = placeOf(mesh);
    const survey = await surveyStore({
      ...{ bus, place, referred, goesOn, memory: this.memory, packs: state.packs },
    });
    if (!goesOn()) return;
    const atAgents = [...this.#options.atAgents()].filter(
      ({ digest }) => left.has(digest) && !referred.has(digest) && !survey.inventory.stored.has(digest),
    );
    const youngMs = youngMsFor({ state, left, restMs: settings.collectRestMs });
    const isSpared = (digest: Digest) =>
      survey.parts.has(digest) || prover.wasTold(digest, youngMs(digest)) || mayBeNamed(digest);
    await submit({
      kind: "collect",
      collection: {
        found: [...survey.unreferred, ...atAgents].filter(({ ageMs, digest }) => ageMs >= youngMs(digest)),
        isLook: true,
        mayCollect: this.restMs === 0,
        // Asked as it decides: somebody may have been told since.
        spared: { has: isSpared },
        before: survey.inventory.lastSequence + 1,
      },
    });
    this.#lookedAt = lookedAt;
  }

  async #remove({ artifacts, before, mark }: Mark): Promise<void> {
    const { bus, log, mesh, state, submit } = this.#options;
    const place = placeOf(mesh);
    if (before === undefined || this.#closed) return;
    const goesOn = () => !this.#closed;
    await eachOf(artifacts, goesOn, async ({ digest }) => {
      // Somebody may have brought it again since.
      if (state.gone.get(digest) !== mark) return;
      this.memory.forget(digest);
      const pack = packOfId(digest);
      if (pack === null) await removeBlob(bus, place, digest, before);
      else await removePack(bus, place, pack, before);
    });
    if (!goesOn()) return;
    this.#noteDropped(artifacts);
    await submit({ kind: "removed", mark });
    log(`${plural(artifacts.length, "artifact")} that nothing refers to removed (mark ${mark})`);
  }
}

function leavingIn(state: State): Mark[] {
  return [...state.openMarks].flatMap((number) => {
    const mark = mustGet(state.marks, number, "mark");
    return mark.state === "collected" ? [{ ...mark }] : [];
  });
}
