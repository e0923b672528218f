/**
 * Puts the curves and logs of ended trials together into archives of the mesh's store, while their streams still have them, and tells the loop.
 * Decides nothing: an archive counts once its event is in the journal (ARCHIVE-1), and its bytes were on the server's disk before
 * (ARCHIVE-2). Killed between the two it leaves bytes that nothing refers to, and the next leader makes the archive.
 */
import { digestOf, putBlob } from "../../artifact/blob.ts";
import { placeOf } from "../../artifact/mesh-blob.ts";
import type { Bus, Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import { plural } from "../../protocol/plural.ts";
import { streamsOf } from "../../protocol/subjects.ts";
import { sleep, type Clock } from "../../protocol/time/clock.ts";
import type { ArchiveKind } from "../archive/archive-shelf.ts";
import { dueTrials, type DueTrials } from "../archive/due-trials.ts";
import { writeArchive } from "../archive/trial-archive.ts";
import type { Input } from "../state/input.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import { mustGet, type Archive, type State } from "../state/state.ts";
import type { PointIndex } from "../view/point-index.ts";
import { locate, readSaid, type Located } from "../view/read-said.ts";
import type { BlobProver } from "./blob-prover.ts";
import { StoreTask } from "./store-task.ts";

/** Messages of one archive, but for those of a single trial: what is in memory at once. */
const messagesTogetherMax = 4_096;
/** With so many new messages in a stream since nothing waited, what has ended is archived at once: less than a fifth of what one agent may keep there. */
const pressingPoints = 6_000;
const pressingLines = 1_500;
/** An archive is followed by a rest: so many times as long as it took, but no longer than `restMaxMs`: it may have waited for a server that was away. */
const restShare = 9;
const restMaxMs = 2_000;

export interface ArchiverOptions {
  readonly bus: Bus;
  readonly mesh: string;
  readonly clock: Clock;
  readonly state: State;
  readonly settings: Pick<CoordinatorSettings, "archiveEveryMs" | "archiveRestMs">;
  readonly points: PointIndex;
  readonly prover: Pick<BlobProver, "prove" | "wanted">;
  /** Runs it when the state holds only what is durable. */
  readonly ask: (question: () => void) => void;
  /** Resolves once the input's events are durable. */
  readonly submit: (input: Input) => Promise<void>;
  readonly log: (line: string) => void;
}

interface Lost {
  readonly archive: Archive;
  readonly kind: ArchiveKind;
  readonly digest: Digest;
}

const archiveKinds = ["curves", "logs"] as const;

interface Stored {
  readonly digest: Digest | null;
  readonly bytes: number;
}

/**
 * | state   | told by   | what it does                               | what moves it on                                               |
 * | ------- | --------- | ------------------------------------------ | -------------------------------------------------------------- |
 * | idle    | not busy  | nothing                                    | `look`, where trials wait: at work                             |
 * | at work | `#task`   | one archive after the other, with rests    | none is due any more, or the server is away: idle; `close`: over |
 * | over    | `#closed` | nothing: what is under way is told nobody  | nothing                                                        |
 */
export class Archiver {
  readonly #options: ArchiverOptions;
  readonly #task: StoreTask;
  #closed = false;
  /** Lost archives that were tried in this term. */
  readonly #tried = new Set<Digest>();
  /** The streams' last sequences when nothing waited. */
  #quiet: Readonly<Record<ArchiveKind, number>> | null = null;

  constructor(options: ArchiverOptions) {
    this.#options = options;
    this.#task = new StoreTask((trouble) =>
      options.log(`curves and logs of ended trials are not archived yet: ${trouble}`),
    );
  }

  /** To be called again and again. */
  look(): void {
    const { state } = this.#options;
    if (state.unarchived.size === 0) this.#quiet = null;
    const lost = this.#lost();
    if (this.#closed || (state.unarchived.size === 0 && lost.length === 0)) return;
    this.#task.run(
      () => this.#work(lost),
      (error) => {
        // A credential of before artifacts could be stored by coordinators: whoever leads next may have another.
        if (error.kind === "denied") this.#closed = true;
      },
    );
  }

  close(): void {
    this.#closed = true;
  }

  async #work(lost: readonly Lost[]): Promise<void> {
    for (const one of lost) await this.#remake(one);
    if (this.#options.state.unarchived.size > 0) await this.#round();
  }

  /** Of what is wanted and not in the mesh's store what was archived here, each once. */
  #lost(): readonly Lost[] {
    const wanted = new Set(this.#options.prover.wanted().filter((digest) => !this.#tried.has(digest)));
    if (wanted.size === 0) return [];
    return [...this.#options.state.archives.values()].flatMap((archive) =>
      archiveKinds.flatMap((kind) => {
        const digest = archive[kind];
        return digest !== undefined && wanted.has(digest) ? [{ archive, kind, digest }] : [];
      }),
    );
  }

  /** ARCHIVE-7: the same bytes again, where the stream still has all that is in them. */
  async #remake({ archive, digest, kind }: Lost): Promise<void> {
    const { log, state } = this.#options;
    const trials = archive.trials.map((trial) => mustGet(state.trials, trial, "trial"));
    const { located } = await locate(this.#options, kind, trials);
    const to = kind === "curves" ? archive.curvesTo : archive.logsTo;
    const bytes = writeArchive(await readSaid(this.#options, kind, located, to), to);
    const isSame = digestOf(bytes) === digest;
    if (isSame) await this.#put(digest, bytes);
    this.#tried.add(digest);
    const what = `${kind} of ${plural(trials.length, "trial")} of ${archive.sweep}`;
    log(
      isSame
        ? `${what} were lost in the mesh's store, and are stored again`
        : `${what} are lost in the mesh's store; what their stream still has of them is shown`,
    );
  }

  async #round(): Promise<void> {
    const { clock, settings, state } = this.#options;
    while (!this.#closed) {
      const now = await this.#sequences();
      this.#quiet ??= now;
      const { curves, logs } = this.#quiet;
      const isPressed = now.curves - curves >= pressingPoints || now.logs - logs >= pressingLines;
      const due = await this.#asked(() => dueTrials(state, clock.now(), settings, isPressed));
      if (due === null) {
        // What waits now has been said since, or is not over.
        if (isPressed) this.#quiet = now;
        return;
      }
      const from = clock.monotonic();
      await this.#archive(due);
      if (!isPressed) await sleep(clock, Math.min(restMaxMs, (clock.monotonic() - from) * restShare));
    }
  }

  async #sequences(): Promise<Readonly<Record<ArchiveKind, number>>> {
    const { bus, mesh } = this.#options;
    const { logs, metrics } = streamsOf(mesh);
    const [ofPoints, ofLines] = await Promise.all([bus.streamState(metrics), bus.streamState(logs)]);
    return { curves: ofPoints.lastSequence, logs: ofLines.lastSequence };
  }

  #asked<T>(question: () => T): Promise<T> {
    return new Promise((resolve) => this.#options.ask(() => resolve(question())));
  }

  async #archive({ sweep, trials }: DueTrials): Promise<void> {
    const curves = await locate(this.#options, "curves", trials);
    const logs = await locate(this.#options, "logs", trials);
    const most = Math.min(fitting(curves.located), fitting(logs.located));
    const [ofCurves, ofLogs] = [
      await this.#store("curves", curves.located.slice(0, most), curves.to),
      await this.#store("logs", logs.located.slice(0, most), logs.to),
    ];
    if (this.#closed) return;
    await this.#options.submit({
      kind: "archived",
      made: {
        sweep,
        trials: trials.slice(0, most).map(({ trial }) => trial),
        curves: ofCurves.digest,
        logs: ofLogs.digest,
        curvesTo: curves.to,
        logsTo: logs.to,
        bytes: ofCurves.bytes + ofLogs.bytes,
      },
    });
  }

  /** ARCHIVE-2. Throws BusError. */
  async #store(kind: ArchiveKind, located: readonly Located[], to: number): Promise<Stored> {
    const said = await readSaid(this.#options, kind, located, to);
    if (said.length === 0) return { digest: null, bytes: 0 };
    const bytes = writeArchive(said, to);
    const digest = digestOf(bytes);
    await this.#put(digest, bytes);
    return { digest, bytes: bytes.length };
  }

  async #put(digest: Digest, bytes: Bytes): Promise<void> {
    const { bus, mesh, prover } = this.#options;
    // What is wrong, or being removed, under this name is removed first (GC-5).
    if ((await prover.prove(digest)) === "right") return;
    // Whether others' bytes are right is ours to say.
    const { stream, subjectOf } = placeOf(mesh);
    await putBlob(bus, { stream, subjectOf }, bytes, digest);
  }
}

/** How many of these, from the first on, are archived together: one at least. */
function fitting(located: readonly Located[]): number {
  let messages = 0;
  const over = located.findIndex((one) => (messages += one.messages) > messagesTogetherMax);
  return over < 0 ? located.length : Math.max(1, over);
}
