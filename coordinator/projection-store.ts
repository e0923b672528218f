/**
 * The coordinator's own durable memory: dirty entities and the journal position they belong to, in one
 * transaction, with a verified copy of the journal's messages beside them.
 */
import * as z from "zod";
import type { Store } from "../store/store.ts";
import { entityAt, loadState } from "./core/projection.ts";
import type { State } from "./core/state.ts";
import { startPosition, type Position } from "./journal/journal.ts";

const positionSchema = z.object({ sequence: z.int().nonnegative(), hash: z.string() });

export class ProjectionStore {
  readonly #store: Store;
  #writing: Promise<void> | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  load(): { state: State; position: Position } {
    const stored = positionSchema.safeParse(this.#store.get("position"));
    const position = stored.success ? stored.data : startPosition;
    const state = loadState((prefix) => this.#store.range(prefix));
    return { state, position };
  }

  /**
   * Writes what is dirty, at a moment when the state holds nothing beyond `position`. While a write is
   * under way it does nothing: the entities stay dirty and go with a later one.
   */
  save(state: State, position: Position): void {
    if (this.#writing !== null) return;
    const put: [string, unknown][] = [["position", position]];
    const remove: string[] = [];
    for (const key of state.dirty) {
      const entity = entityAt(state, key);
      if (entity === undefined) remove.push(key);
      else put.push([key, entity]);
    }
    state.dirty.clear();
    this.#writing = this.#store.write({ put, remove }).finally(() => {
      this.#writing = null;
    });
  }

  /** Resolves when the last write has reached the disk; rejects where the disk refused it. */
  async flushed(): Promise<void> {
    await this.#writing;
  }
}
