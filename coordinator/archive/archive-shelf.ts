/**
 * Opens the archives that are asked for, and keeps the last ones open. Not here: what is archived and when.
 */
import { digestOf, getBlob, type BlobPlace } from "../../artifact/blob.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Digest, TrialId } from "../../protocol/id.ts";
import type { Archive, State } from "../state/state.ts";
import { TrialArchive, type Said } from "./trial-archive.ts";

/** Archives kept open, in bytes as they are stored. */
const openBytesMax = 16 * bytesPerMiB;
/** No archive is larger: all that the agents' streams keep is less. */
const archiveBytesMax = 256 * bytesPerMiB;

export type ArchiveKind = "curves" | "logs";

export interface Archived {
  /** What the stream has beyond this sequence is not in here. */
  readonly to: number;
  readonly said: readonly Said[];
}

export interface ArchiveShelfOptions {
  readonly bus: Bus;
  readonly place: BlobPlace;
  readonly state: Pick<State, "archives" | "archivesOf" | "gone" | "trials">;
  /** Told of each that is not in the mesh's store as it was. */
  readonly doubt: (digest: Digest) => void;
}

export class ArchiveShelf {
  readonly #options: ArchiveShelfOptions;
  /** Least recently used first. */
  readonly #open = new Map<Digest, { readonly archive: TrialArchive; readonly bytes: number }>();
  readonly #opening = new Map<Digest, Promise<TrialArchive | null>>();
  #bytes = 0;
  /** Of the sweep that was asked about last, the archive of each trial. */
  #found = { sweep: "", known: 0, of: new Map<TrialId, number>() };

  constructor(options: ArchiveShelfOptions) {
    this.#options = options;
  }

  /** Null where it is in no archive, or that is not kept any more: whatever the stream has is all there is. Throws BusError. */
  async saidOf(kind: ArchiveKind, trial: TrialId): Promise<Archived | null> {
    const digest = this.#archiveOf(trial)?.[kind];
    if (digest === undefined || this.#options.state.gone.has(digest)) return null;
    const archive = await this.#opened(digest);
    const said = archive?.read(trial) ?? null;
    if (archive !== null && said !== null) return { to: archive.to, said };
    this.#options.doubt(digest);
    return null;
  }

  #archiveOf(trial: TrialId): Archive | null {
    const { archives, archivesOf, trials } = this.#options.state;
    const sweep = trials.get(trial)?.sweep ?? "";
    const numbers = archivesOf.get(sweep) ?? [];
    if (this.#found.sweep !== sweep) this.#found = { sweep, known: 0, of: new Map() };
    const { known, of } = this.#found;
    // There are only ever more of them.
    for (const number of numbers.slice(known))
      for (const one of archives.get(number)?.trials ?? []) of.set(one, number);
    this.#found.known = numbers.length;
    return archives.get(of.get(trial) ?? 0) ?? null;
  }

  /** Whether it was archived, and is not kept any more. */
  isGone(kind: ArchiveKind, trial: TrialId): boolean {
    const digest = this.#archiveOf(trial)?.[kind];
    return digest !== undefined && this.#options.state.gone.has(digest);
  }

  async #opened(digest: Digest): Promise<TrialArchive | null> {
    const known = this.#open.get(digest);
    if (known !== undefined) {
      this.#open.delete(digest);
      this.#open.set(digest, known);
      return known.archive;
    }
    let opening = this.#opening.get(digest);
    if (opening === undefined) {
      opening = this.#fetch(digest).finally(() => this.#opening.delete(digest));
      this.#opening.set(digest, opening);
    }
    return opening;
  }

  async #fetch(digest: Digest): Promise<TrialArchive | null> {
    const { bus, place } = this.#options;
    const reading = await getBlob(bus, place, digest, { maxBytes: archiveBytesMax });
    if (reading.kind !== "read" || digestOf(reading.bytes) !== digest) return null;
    const archive = TrialArchive.open(reading.bytes);
    if (archive !== null) this.#keep(digest, archive, reading.bytes.length);
    return archive;
  }

  #keep(digest: Digest, archive: TrialArchive, bytes: number): void {
    this.#open.set(digest, { archive, bytes });
    this.#bytes += bytes;
    for (const [oldest, { bytes: less }] of this.#open) {
      if (this.#bytes <= openBytesMax || oldest === digest) break;
      this.#open.delete(oldest);
      this.#bytes -= less;
    }
  }
}
