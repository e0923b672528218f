/**
 * A store that is no cache, and small: all it holds is in memory as well, so its owner goes on through whatever becomes of the disk.
 * Where the disk takes nothing a write waits until it does; where what lies on it is damaged all of it is written anew.
 */
import { assertKeys, StoreError, type Store, type StoreChanges } from "./store.ts";

export interface EnduringOptions {
  /** Puts the damaged file aside and begins another. Throws where the disk does not let it. */
  readonly beginAnew: (why: string) => Promise<Store>;
  /** Resolves after a while. */
  readonly pause: () => Promise<void>;
  readonly say: (line: string) => void;
}

/**
 * | state   | what it does                          | what moves it on                                                       |
 * | ------- | ------------------------------------- | ---------------------------------------------------------------------- |
 * | whole   | writes one after the other            | the disk refuses one: waiting; damage: damaged; `close`: closed        |
 * | waiting | tries the same write again and again  | the disk takes it: whole; damage: damaged; `close`: closed             |
 * | damaged | begins a new file with all it holds   | that is on the disk: whole; the disk refuses: waiting                  |
 * | closed  | nothing: writes throw                 | nothing                                                                |
 */
export class EnduringStore implements Store {
  readonly #entries: Map<string, unknown>;
  readonly #options: EnduringOptions;
  #store: Store;
  #last: Promise<void> = Promise.resolve();
  #trouble: string | null = null;
  #closed = false;

  constructor(store: Store, options: EnduringOptions) {
    this.#store = store;
    this.#options = options;
    this.#entries = new Map(store.range(""));
  }

  get(key: string): unknown {
    return copyOf(this.#entries.get(key));
  }

  *range(prefix: string): Iterable<[string, unknown]> {
    const found = [...this.#entries].filter(([key]) => key.startsWith(prefix));
    found.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const [key, value] of found) yield [key, copyOf(value)];
  }

  count(): number {
    return this.#entries.size;
  }

  fault(): string | null {
    return this.#store.fault();
  }

  async write(changes: StoreChanges): Promise<void> {
    assertKeys(changes);
    if (this.#closed) throw new StoreError("closed", "The store is closed.");
    const put = changes.put.map(([key, value]) => [key, copyOf(value)] as const);
    const remove = [...changes.remove];
    for (const [key, value] of put) this.#entries.set(key, value);
    for (const key of remove) this.#entries.delete(key);
    const written = this.#last.then(() => this.#endure({ put, remove }));
    this.#last = written.catch(() => undefined);
    await written;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
    await this.#store.close();
  }

  async #endure(changes: StoreChanges): Promise<void> {
    let damage: StoreError | null = null;
    for (;;) {
      try {
        if (damage === null) await this.#store.write(changes);
        else await this.#writeAnew(damage.message);
        if (this.#trouble !== null) this.#options.say("the disk takes it again; going on");
        this.#trouble = null;
        return;
      } catch (error) {
        if (!(error instanceof StoreError) || error.kind === "closed" || this.#closed) throw error;
        if (error.kind === "damaged" && damage === null) {
          damage = error;
          continue;
        }
        if (error.message !== this.#trouble) this.#options.say(`${error.message} Waiting for it.`);
        this.#trouble = error.message;
        await this.#options.pause();
      }
    }
  }

  /** What is written is what memory holds, later changes included: those are written again, to the same effect. */
  async #writeAnew(why: string): Promise<void> {
    await this.#store.close();
    this.#store = await this.#options.beginAnew(why);
    await this.#store.write({ put: [...this.#entries], remove: [] });
  }
}

/** A buffer may be a view of a pool, all of which a structured clone would copy. */
function copyOf(value: unknown): unknown {
  return value instanceof Uint8Array ? Uint8Array.from(value) : structuredClone(value);
}
