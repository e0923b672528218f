/**
 * The coordinator's own durable memory: dirty entities and the journal position they belong to, in one transaction. A cache: what
 * cannot be used is thrown away, and the journal adds up to it again. The copy of the journal beside it is none.
 */
import * as z from "zod";
import { StoreError, type Store } from "../../store/store.ts";
import { entityAt, loadState } from "../core/projection.ts";
import { JournalCopy } from "../journal/journal-copy.ts";
import { startPosition, type Position } from "../journal/journal.ts";
import { emptyState, type State } from "../state/state.ts";
import { entitiesIn, pageChanges } from "./entity-page.ts";

/**
 * Writes of the projection for one of the copy: each holds up the loop for a flush of its own. What the copy lacks after a crash
 * is read from the journal again.
 */
const writesPerCopy = 5;
const positionKey = "position";
const positionSchema = z.strictObject({
  sequence: z.int().nonnegative(),
  hash: z.string(),
  /** Absent where the store was last written before messages were signed. */
  signedFrom: z.int().positive().nullable().default(null),
});

/** Where a stored projection stands; null where that cannot be told. */
export function storedPosition(store: Store): Position | null {
  return store.fault() === null ? (positionSchema.safeParse(store.get(positionKey)).data ?? null) : null;
}

interface Loaded {
  readonly state: State;
  readonly position: Position;
  /** Why what was stored could not be used; null where it could, or where nothing was. */
  readonly unusable: string | null;
}

export class ProjectionStore {
  readonly #store: Store;
  readonly copy: JournalCopy;
  readonly #onError: (error: unknown) => void;
  readonly #say: (line: string) => void;
  #writing: Promise<unknown> | null = null;
  #writes = 0;
  /** What the disk answers to writes since it last took all of them. */
  readonly #troubles = new Set<string>();

  /**
   * `onError` is told of what no later write heals. DISK-1: what the disk refuses is said, stays in the journal and in memory, and is
   * written once the disk takes it.
   */
  constructor(store: Store, copy: Store, onError: (error: unknown) => void, say: (line: string) => void) {
    this.#store = store;
    this.copy = new JournalCopy(copy);
    this.#onError = onError;
    this.#say = say;
  }

  /**
   * FORMAT-4: what is old or does not fit together is no reason to stop: it is cleared, and begins from nothing. Throws StoreError
   * `damaged` where it is not what was written: then its file is good for nothing.
   */
  load(): Loaded {
    const fault = this.#store.fault();
    if (fault !== null)
      throw new StoreError("damaged", `What this coordinator had stored is damaged (${fault}).`);
    try {
      const stored = this.#store.get(positionKey);
      if (stored === undefined) {
        if (this.#store.count() > 0) throw new Error("it has entities and no position");
        return { state: emptyState(), position: startPosition, unusable: null };
      }
      const position = positionSchema.parse(stored);
      const state = loadState((prefix) => entitiesIn((start) => this.#store.range(start), prefix));
      return { state, position, unusable: null };
    } catch (error) {
      if (error instanceof StoreError) throw error;
      const remove = Array.from(this.#store.range(""), ([key]) => key);
      this.#write({ put: [], remove }, () => {});
      return { state: emptyState(), position: startPosition, unusable: whyOf(error) };
    }
  }

  /**
   * Writes what is dirty, at a moment when the state holds nothing beyond `position`. While a write is
   * under way it does nothing: the entities stay dirty and go with a later one.
   */
  save(state: State, position: Position): void {
    if (this.#writing !== null) return;
    const changed = [...state.dirty];
    const { put, remove } = pageChanges(changed, (key) => entityAt(state, key));
    state.dirty.clear();
    this.#write({ put: [[positionKey, position], ...put], remove }, () => {
      for (const key of changed) state.dirty.add(key);
    });
  }

  /** Resolves when the last write, and all of the copy, has reached the disk or was refused. */
  async flushed(): Promise<void> {
    await this.#writing;
    await this.copy.flush().catch((error: unknown) => this.#refused(error));
  }

  #write(changes: Parameters<Store["write"]>[0], undo: () => void): void {
    const copied = ++this.#writes % writesPerCopy === 0 ? this.copy.flush() : null;
    const written = this.#store.write(changes).catch((error: unknown) => {
      undo();
      throw error;
    });
    this.#writing = Promise.all([copied, written])
      .then(() => {
        if (copied === null || this.#troubles.size === 0) return;
        this.#say("the disk takes what this coordinator stores again");
        this.#troubles.clear();
      })
      .catch((error: unknown) => this.#refused(error))
      .finally(() => {
        this.#writing = null;
      });
  }

  #refused(error: unknown): void {
    if (!(error instanceof StoreError) || error.kind === "damaged") return this.#onError(error);
    if (error.kind === "closed" || this.#troubles.has(error.message)) return;
    this.#troubles.add(error.message);
    this.#say(`${error.message} The journal has it all; it is stored once the disk takes it.`);
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  const [issue] = error.issues;
  return issue === undefined ? "it does not parse" : `${issue.path.map(String).join(".")}: ${issue.message}`;
}
