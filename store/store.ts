// A process's own durable memory: ordered string keys, whole transactions, nothing else. lmdb-store.ts is
// the real one; its twin in memory, held to the same contract suite, is the tests'. What is stored under which key
// is its owner's affair; what is read back is parsed by its owner.

export interface StoreChanges {
  /** Values that msgpack can carry: plain objects, arrays, strings, numbers, booleans, null, bytes. */
  readonly put: readonly (readonly [key: string, value: unknown])[];
  /** Removed after the puts; a key that is not there is no error. */
  readonly remove: readonly string[];
}

export interface Store {
  /** The value under the key, or undefined. A copy: changing it changes nothing in the store. */
  get(key: string): unknown;
  /** Every entry whose key starts with `prefix` ('' = all), in the order of the keys' UTF-8 bytes. */
  range(prefix: string): Iterable<[string, unknown]>;
  /** How many entries there are. */
  count(): number;
  /** Reads all of it: what is not as it was written, in some words, or null. A store in which something is not throws StoreError `damaged`. */
  fault(): string | null;
  /**
   * One transaction: all of it or nothing. Resolves only when it is on the disk; reads may see it earlier.
   * Writes take effect in the order of the calls. Throws StoreError.
   */
  write(changes: StoreChanges): Promise<void>;
  /** Waits for the writes under way. */
  close(): Promise<void>;
}

/** Longest key, in UTF-8 bytes. */
export const maxKeyBytes = 1_900;

export type StoreRefusal =
  /** Written by another schema version (`found`); opening it would misread it. */
  | { readonly kind: "another-version"; readonly found: string; readonly message: string }
  /** The folder or the file cannot be created or written. */
  | { readonly kind: "not-writable"; readonly message: string }
  | { readonly kind: "disk-full"; readonly message: string }
  /** The file is there, but is no store, or not what was written to it; `why` in some words. */
  | { readonly kind: "damaged"; readonly why: string; readonly message: string };

export type StoreOpening =
  /** `note`: damage that touched nothing the store holds, in a sentence. */
  | { readonly kind: "opened"; readonly store: Store; readonly note?: string }
  | { readonly kind: "refused"; readonly refusal: StoreRefusal };

/** Why a write did not happen. `message` is one clear sentence; nothing of the transaction was stored. */
export class StoreError extends Error {
  /** `damaged`: what lies in it is not what was written; it has to be opened anew. */
  readonly kind: "disk-full" | "failed" | "closed" | "damaged";

  constructor(kind: StoreError["kind"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StoreError";
    this.kind = kind;
  }
}

/** Throws where a key is empty or too long: a mistake of the caller, found the same way in every store. */
export function assertKeys(changes: StoreChanges): void {
  for (const key of [...changes.put.map(([put]) => put), ...changes.remove]) {
    const bytes = Buffer.byteLength(key);
    if (bytes === 0 || bytes > maxKeyBytes)
      throw new Error(`a store key has 1 to ${maxKeyBytes} bytes, not ${bytes}`);
  }
}
