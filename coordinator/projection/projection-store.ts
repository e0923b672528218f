/**
 * The coordinator's own durable memory: dirty entities and the journal position they belong to, in one transaction. A cache: what
 * cannot be used is thrown away, and the journal adds up to it again. The copy of the journal beside it is none.
 */
import * as z from "zod";
import type { Store } from "../../store/store.ts";
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
  #writing: Promise<unknown> | null = null;
  #writes = 0;

  /** `onError` is told when the disk refuses a write; what was not written stays in the journal. */
  constructor(store: Store, copy: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.copy = new JournalCopy(copy);
    this.#onError = onError;
  }

  /** FORMAT-4: what is old or damaged is no reason to stop: it is cleared, and begins from nothing. */
  load(): Loaded {
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
      const remove = Array.from(this.#store.range(""), ([key]) => key);
      this.#write({ put: [], remove });
      return { state: emptyState(), position: startPosition, unusable: whyOf(error) };
    }
  }

  /**
   * Writes what is dirty, at a moment when the state holds nothing beyond `position`. While a write is
   * under way it does nothing: the entities stay dirty and go with a later one.
   */
  save(state: State, position: Position): void {
    if (this.#writing !== null) return;
    const { put, remove } = pageChanges(state.dirty, (key) => entityAt(state, key));
    state.dirty.clear();
    this.#write({ put: [[positionKey, position], ...put], remove });
  }

  /** Resolves when the last write, and all of the copy, has reached the disk or was refused. */
  async flushed(): Promise<void> {
    await this.#writing;
    await this.copy.flush().catch(this.#onError);
  }

  #write(changes: Parameters<Store["write"]>[0]): void {
    const copied = ++this.#writes % writesPerCopy === 0 ? this.copy.flush() : null;
    this.#writing = Promise.all([copied, this.#store.write(changes)])
      .catch(this.#onError)
      .finally(() => {
        this.#writing = null;
      });
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return error instanceof Error ? error.message : String(error);
  const [issue] = error.issues;
  return issue === undefined ? "it does not parse" : `${issue.path.map(String).join(".")}: ${issue.message}`;
}
