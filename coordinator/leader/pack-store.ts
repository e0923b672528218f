/**
 * Where the leader puts the bytes that come with reports, and gets them from again: packs, each one flushed message of the mesh's
 * store (PACK-3). Which digest lies in which pack is the state's to know. A pack of which no event came to speak is left behind as nobody's.
 */
import { contentOf, packsOf, readPack, writePack } from "../../artifact/pack.ts";
import { BusError, type Bus, type Bytes } from "../../protocol/bus/bus.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Digest } from "../../protocol/id.ts";
import { noContents, type Contents } from "../../protocol/report-message.ts";
import { streamsOf, subjectsOf } from "../../protocol/subjects.ts";
import type { PackPlaces } from "../state/input.ts";

/** Whoever may store artifacts may also take a pack's name; none can guess which. */
const packNumbers = 2 ** 48;
/** Names that are drawn for one pack: a second one is hardly ever needed. */
const drawsMax = 16;
/** The name of one that holds nothing. */
const noPack = 0;
/** Packs in memory: what was kept a moment ago is what goes on next. */
const cachedBytesMax = 32 * bytesPerMiB;

export interface PackStoreOptions {
  readonly bus: Bus;
  readonly mesh: string;
  /** Uniform in [0, 1), and not to be guessed. */
  readonly random: () => number;
}

interface CachedPack {
  readonly contents: Contents;
  readonly bytes: number;
}

export class PackStore {
  readonly #options: PackStoreOptions;
  readonly #stream: string;
  /** Least recently used first. */
  readonly #cached = new Map<number, CachedPack>();
  readonly #reading = new Map<number, Promise<Contents>>();
  #cachedBytes = 0;
  /** Null where it has not been asked, or gets no answer. */
  #allowed: Promise<boolean | null> | null = null;

  constructor(options: PackStoreOptions) {
    this.#options = options;
    this.#stream = streamsOf(options.mesh).blobs;
  }

  /**
   * Whether this coordinator takes bytes with reports: its credential may be of before it could store them. Asked of the server until that
   * is known; false meanwhile.
   */
  async takes(): Promise<boolean> {
    this.#allowed ??= this.#isAllowed();
    const allowed = await this.#allowed;
    if (allowed === null) this.#allowed = null;
    return allowed === true;
  }

  async #isAllowed(): Promise<boolean | null> {
    const { bus, mesh } = this.#options;
    try {
      // The same each time, so it lies there once.
      await bus.append(this.#stream, subjectsOf(mesh).pack(noPack), writePack(noContents));
      return true;
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return error.kind === "denied" ? false : null;
    }
  }

  /** Resolves once all are on the server's disk. Throws BusError: some may be there then, and are nobody's. */
  async write(contents: Contents): Promise<PackPlaces> {
    const places = new Map<Digest, number>();
    await Promise.all(
      packsOf(contents).map(async (part) => {
        const pack = await this.#append(part);
        for (const digest of part.keys()) places.set(digest, pack);
      }),
    );
    return places;
  }

  /** PACK-1; null where the pack is gone or damaged. Throws BusError. */
  async read(pack: number, digest: Digest): Promise<Bytes | null> {
    return contentOf(await this.#open(pack), digest);
  }

  /** As the server has it now, whatever is in memory. */
  readAgain(pack: number, digest: Digest): Promise<Bytes | null> {
    this.#forget(pack);
    return this.read(pack, digest);
  }

  async #append(part: Contents): Promise<number> {
    const { bus, mesh, random } = this.#options;
    const data = writePack(part);
    for (let draw = 1; draw <= drawsMax; draw++) {
      const pack = 1 + Math.floor(random() * packNumbers);
      const appended = await bus.append(this.#stream, subjectsOf(mesh).pack(pack), data);
      if (appended.kind === "wrong-sequence")
        throw new BusError("refused", "The blob stream asked for a sequence that was not given.");
      // The name is taken: by us, where an answer was lost and the client asked again, or by chance.
      if (appended.kind === "already-there") continue;
      this.#remember(pack, readPack(data) ?? noContents, data.length);
      return pack;
    }
    throw new BusError("unavailable", "No name is free for a pack of small artifacts.");
  }

  async #open(pack: number): Promise<Contents> {
    const cached = this.#cached.get(pack);
    if (cached !== undefined) {
      this.#cached.delete(pack);
      this.#cached.set(pack, cached);
      return cached.contents;
    }
    let reading = this.#reading.get(pack);
    if (reading === undefined) {
      reading = this.#fetch(pack).finally(() => this.#reading.delete(pack));
      this.#reading.set(pack, reading);
    }
    return reading;
  }

  async #fetch(pack: number): Promise<Contents> {
    const { bus, mesh } = this.#options;
    const entry = await bus.getMessage(this.#stream, subjectsOf(mesh).pack(pack));
    const contents = entry === null ? null : readPack(entry.data);
    // What cannot be read may only lag behind: it is looked for again the next time.
    if (entry === null || contents === null) return noContents;
    this.#remember(pack, contents, entry.data.length);
    return contents;
  }

  #remember(pack: number, contents: Contents, bytes: number): void {
    this.#forget(pack);
    this.#cached.set(pack, { contents, bytes });
    this.#cachedBytes += bytes;
    for (const oldest of this.#cached.keys()) {
      if (this.#cachedBytes <= cachedBytesMax) break;
      this.#forget(oldest);
    }
  }

  #forget(pack: number): void {
    this.#cachedBytes -= this.#cached.get(pack)?.bytes ?? 0;
    this.#cached.delete(pack);
  }
}
