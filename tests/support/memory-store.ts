// The store of tests and of the simulation. A MemoryDisk outlives the stores opened on it, and can crash: then what
// was written but not yet flushed is gone, as after a power cut. Copies every value in and out, as a real one does.

import {
  assertKeys,
  StoreError,
  type Store,
  type StoreChanges,
  type StoreOpening,
} from "../../store/store.ts";

/** The part of a clock that a delayed flush needs. */
export interface FlushTimer {
  setTimer(ms: number, run: () => void): () => void;
}

export interface MemoryDiskOptions {
  /** With `flushMs`: how writes wait for their flush. Without it a write is flushed in the next microtask. */
  readonly timer?: FlushTimer;
  readonly flushMs?: number;
}

interface PendingWrite {
  readonly changes: StoreChanges;
  readonly done: (error?: StoreError) => void;
}

export class MemoryDisk {
  /** Set to make every write fail as on a full disk. */
  full = false;
  readonly #options: MemoryDiskOptions;
  #version: string | undefined;
  #durable = new Map<string, unknown>();
  #visible = new Map<string, unknown>();
  #pending: PendingWrite[] = [];
  /** Grows with every crash; a store opened before the last one is dead. */
  #life = 0;

  constructor(options: MemoryDiskOptions = {}) {
    this.#options = options;
  }

  /** Opens the store on this disk; refuses one that another schema version wrote. */
  open(version: string): StoreOpening {
    this.#version ??= version;
    if (this.#version !== version) {
      const found = this.#version;
      const message = `The store was written by version ${found}; this program reads version ${version}.`;
      return { kind: "refused", refusal: { kind: "another-version", found, message } };
    }
    return { kind: "opened", store: new MemoryStore(this, this.#life) };
  }

  /** Power cut: what is not flushed is lost, its writes never resolve, and open stores are dead. */
  crash(): void {
    this.#life += 1;
    this.#pending = [];
    this.#visible = new Map(this.#durable);
  }

  // For MemoryStore only.

  read(life: number): ReadonlyMap<string, unknown> {
    this.#assertAlive(life);
    return this.#visible;
  }

  write(life: number, changes: StoreChanges): Promise<void> {
    this.#assertAlive(life);
    if (this.full)
      return Promise.reject(new StoreError("disk-full", "The disk is full: nothing was stored."));
    applyTo(this.#visible, changes);
    return new Promise((resolve, reject) => {
      this.#pending.push({ changes, done: (error) => (error === undefined ? resolve() : reject(error)) });
      const flush = (): void => {
        if (life === this.#life) this.#flushOne();
      };
      const { timer, flushMs } = this.#options;
      if (timer === undefined || flushMs === undefined) queueMicrotask(flush);
      else timer.setTimer(flushMs, flush);
    });
  }

  #flushOne(): void {
    const next = this.#pending.shift();
    if (next === undefined) return;
    applyTo(this.#durable, next.changes);
    next.done();
  }

  #assertAlive(life: number): void {
    if (life !== this.#life)
      throw new StoreError("closed", "The store's process ended with the crash of its disk.");
  }
}

class MemoryStore implements Store {
  readonly #disk: MemoryDisk;
  readonly #life: number;
  #last: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(disk: MemoryDisk, life: number) {
    this.#disk = disk;
    this.#life = life;
  }

  get(key: string): unknown {
    return copyOf(this.#read().get(key));
  }

  *range(prefix: string): Iterable<[string, unknown]> {
    const entries = [...this.#read()].filter(([key]) => key.startsWith(prefix));
    entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    for (const [key, value] of entries) yield [key, copyOf(value)];
  }

  count(): number {
    return this.#read().size;
  }

  fault(): string | null {
    this.#read();
    return null;
  }

  async write(changes: StoreChanges): Promise<void> {
    assertKeys(changes);
    if (this.#closed) throw new StoreError("closed", "The store is closed.");
    const copy: StoreChanges = {
      put: changes.put.map(([key, value]) => [key, copyOf(value)] as const),
      remove: [...changes.remove],
    };
    const written = this.#disk.write(this.#life, copy);
    this.#last = written.catch(() => undefined);
    await written;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }

  #read(): ReadonlyMap<string, unknown> {
    if (this.#closed) throw new StoreError("closed", "The store is closed.");
    return this.#disk.read(this.#life);
  }
}

/** Most of what is stored is bytes, which have a shorter way. */
function copyOf(value: unknown): unknown {
  return value instanceof Uint8Array ? new Uint8Array(value) : structuredClone(value);
}

function applyTo(map: Map<string, unknown>, changes: StoreChanges): void {
  for (const [key, value] of changes.put) map.set(key, value);
  for (const key of changes.remove) map.delete(key);
}
