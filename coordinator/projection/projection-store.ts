/**
 * The coordinator's own durable memory: dirty entities and the journal position they belong to, in one
 * transaction, with a copy of the journal's messages beside them: a server that lost its tail gets it back
 * from here.
 */
import * as z from "zod";
import type { Store } from "../../store/store.ts";
import { entityAt, loadState } from "../core/projection.ts";
import type { State } from "../state/state.ts";
import { entitiesIn, pageChanges } from "./entity-page.ts";
import { startPosition, type Position } from "../journal/journal.ts";

const positionSchema = z.object({
  sequence: z.int().nonnegative(),
  hash: z.string(),
  /** Absent where the store was last written before messages were signed. */
  signedFrom: z.int().positive().nullable().default(null),
});

export class ProjectionStore {
  readonly #store: Store;
  readonly #onError: (error: unknown) => void;
  #writing: Promise<void> | null = null;
  #copies: [string, Uint8Array][] = [];

  /** `onError` is told when the disk refuses a write; what was not written stays in the journal. */
  constructor(store: Store, onError: (error: unknown) => void) {
    this.#store = store;
    this.#onError = onError;
  }

  /** Notes a journal message, verified or our own, to be copied with the next save. */
  copy(sequence: number, bytes: Uint8Array): void {
    this.#copies.push([copyKey(sequence), bytes]);
  }

  /** The copied message at this place of the journal, or null. */
  copyAt(sequence: number): Uint8Array | null {
    const bytes = this.#store.get(copyKey(sequence));
    return bytes instanceof Uint8Array ? bytes : null;
  }

  load(): { state: State; position: Position } {
    const stored = positionSchema.safeParse(this.#store.get("position"));
    const position = stored.success ? stored.data : startPosition;
    const state = loadState((prefix) => entitiesIn((start) => this.#store.range(start), prefix));
    return { state, position };
  }

  /**
   * Writes what is dirty, at a moment when the state holds nothing beyond `position`. While a write is
   * under way it does nothing: the entities stay dirty and go with a later one.
   */
  save(state: State, position: Position): void {
    if (this.#writing !== null) return;
    const entities = pageChanges(state.dirty, (key) => entityAt(state, key));
    const put = [["position", position] as const, ...this.#copies, ...entities.put];
    this.#copies = [];
    state.dirty.clear();
    this.#writing = this.#store
      .write({ put, remove: entities.remove })
      .catch(this.#onError)
      .finally(() => {
        this.#writing = null;
      });
  }

  /** Resolves when the last write has reached the disk, or was refused. */
  async flushed(): Promise<void> {
    await this.#writing;
  }
}

/** Keys sort as text, so the number has a fixed width. */
function copyKey(sequence: number): string {
  return `journal/${String(sequence).padStart(12, "0")}`;
}
