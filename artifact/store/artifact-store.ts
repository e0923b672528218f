/**
 * The artifacts of a machine, in one folder that all processes of its user share: agent, command line, gateway.
 * CACHE-1: nothing is handed out whose bytes do not match its digest, and nothing lies under a digest before it is whole and verified;
 * what is found damaged goes back among the parts, of which only what is wrong is had again.
 *
 * An artifact here:
 *
 * | state   | told by                          | what moves it on                                                          |
 * | ------- | -------------------------------- | ------------------------------------------------------------------------- |
 * | absent  | no file of it                    | `bring`: part; `addFile`, `addBytes`, `addStream`: whole                  |
 * | part    | its file below `parts`           | its last chunk: whole; a kill, or nobody brings more: stays, for the next |
 * | whole   | its file below `files`, indexed  | the quota, `remove`: absent; damage that is read: part                    |
 */
import { readFile, stat } from "node:fs/promises";
import type { Bytes } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { ArtifactTree } from "../artifact-tree.ts";
import type { ChunkShelf, ChunkWork, OpenArtifact } from "../chunk-source.ts";
import { chunkBytesMax } from "../chunk-tree.ts";
import { ArtifactIndex, type IndexEntry } from "./artifact-index.ts";
import type { ChunkCheck } from "./chunk-check.ts";
import type { DigestMark } from "./digest-mark.ts";
import { DraftFile } from "./draft-file.ts";
import { FileTrust, trustedBytesMin } from "./file-trust.ts";
import { PartFile } from "./part-file.ts";
import { PartReader } from "./part-reader.ts";

import { StoredFile } from "./stored-file.ts";
import { StorePlace } from "./store-place.ts";
import type { FileState } from "./verify-file.ts";

export interface ArtifactStoreOptions {
  readonly folder: string;
  readonly clock: Clock;
  /** Null: as another process said it last. */
  readonly quotaBytes: number | null;
}

/** An artifact that stays where it is until `release`. */
export interface HeldArtifact {
  readonly path: string;
  readonly bytes: number;
  release(): void;
}

export interface AddedArtifact {
  readonly digest: Digest;
  readonly bytes: number;
  readonly held: HeldArtifact;
}

/** What was begun, and for so long nobody went on with, is let go, ms. */
const partKeptMs = 7 * 24 * 60 * 60_000;

export class ArtifactStore implements ChunkShelf {
  /** Not evicted. */
  readonly pins: DigestMark;
  /** REPL-4: they stay whatever the quota lets go, as long as they are marked. */
  readonly keeps: DigestMark;
  /** PERSON-2: neither told nor given to others, until it is put into the mesh or a lease of the mesh names it. */
  readonly withheld: DigestMark;
  readonly #place: StorePlace;
  readonly #index: ArtifactIndex;
  readonly #trust: FileTrust;
  readonly #parts = new Map<Digest, PartFile>();

  /** Throws the system's error, or StoreError. */
  constructor({ clock, folder, quotaBytes }: ArtifactStoreOptions) {
    this.#place = new StorePlace(folder);
    this.pins = this.#place.pins;
    this.keeps = this.#place.keeps;
    this.withheld = this.#place.withheld;
    this.#trust = new FileTrust(this.#place, clock);
    this.#index = new ArtifactIndex({ place: this.#place, clock, quotaBytes });
    for (const { at, digest } of this.#place.parts())
      if (clock.now() - at > partKeptMs && !this.#index.isPartTaken(digest)) this.#place.removePart(digest);
  }

  get folder(): string {
    return this.#place.folder;
  }

  get index(): Pick<ArtifactIndex, "holders" | "list" | "quotaBytes" | "totalBytes"> {
    return this.#index;
  }

  /** Whether it lies here, as far as the index says. */
  entry(digest: Digest): IndexEntry | null {
    return this.#index.entry(digest);
  }

  /** What is whole here, last used first. */
  list(): readonly Digest[] {
    return this.#index
      .list()
      .toSorted((one, other) => other.usedAt - one.usedAt)
      .map(({ digest }) => digest);
  }

  pathOf(digest: Digest): string {
    return this.#place.file(digest);
  }

  /** One that is held already, once more. */
  holdAgain(digest: Digest): HeldArtifact | null {
    const entry = this.#index.hold(digest);
    return entry === null ? null : this.#held(digest, entry.bytes);
  }

  /** CACHE-1: the artifact, read and right, and held; null where it is not here, or no longer right. Throws the system's error. */
  async hold(digest: Digest): Promise<HeldArtifact | null> {
    const found = await this.#holdVerified(digest);
    return found === null ? null : found.held;
  }

  async #holdVerified(digest: Digest): Promise<{ held: HeldArtifact; tree: ArtifactTree | null } | null> {
    // One that lies there and is not indexed was placed by a process that was killed just then.
    if (this.#index.hold(digest) === null && !(await this.#adopt(digest))) return null;
    try {
      const state = await this.#trust.look(digest);
      if (state.kind === "right") return { held: this.#held(digest, state.bytes), tree: state.tree };
      this.#index.release(digest);
      this.#lose(digest, state);
      return null;
    } catch (error) {
      this.#index.release(digest);
      throw error;
    }
  }

  async #adopt(digest: Digest): Promise<boolean> {
    const found = await stat(this.#place.file(digest)).catch(() => null);
    if (found?.isFile() !== true) return false;
    this.#index.add(digest, found.size, true, () => undefined);
    return true;
  }

  #held(digest: Digest, bytes: number): HeldArtifact {
    let held = true;
    return {
      path: this.#place.file(digest),
      bytes,
      release: () => {
        if (held) this.#index.release(digest);
        held = false;
      },
    };
  }

  /** Reads all of it, changes nothing. Throws the system's error. */
  verify(digest: Digest, onBytes?: (bytes: number) => void): Promise<FileState> {
    return this.#trust.verify(digest, onBytes);
  }

  /** It was found damaged: what of it is right can be used when it is brought again. */
  lose(digest: Digest): void {
    this.#lose(digest, { kind: "damaged", chunks: null });
  }

  #lose(digest: Digest, state: FileState): void {
    this.#trust.forget(digest);
    const part = this.#place.part(digest);
    this.#index.drop(digest, () => {
      if (state.kind === "absent" || this.#parts.has(digest)) this.#place.remove(digest);
      else this.#place.moveOut(digest, part.file, part.nodes);
    });
  }

  /** Puts a file in its place that somebody else kept under this digest; it is read when it is asked for. */
  adopt(digest: Digest, path: string, bytes: number): void {
    this.#index.add(digest, bytes, false, () => this.#place.moveIn(digest, path, null));
  }

  /** Takes in a file as it is now. Throws the system's error, and PartError where it changes meanwhile. */
  async addFile(path: string): Promise<AddedArtifact> {
    return this.#add((draft) => draft.copy(path));
  }

  addBytes(bytes: Bytes): Promise<AddedArtifact> {
    return this.#add((draft) => draft.write(bytes));
  }

  /** Takes in what comes, in pieces of any size. */
  addStream(pieces: AsyncIterable<Bytes>): Promise<AddedArtifact> {
    return this.#add(async (draft) => {
      for await (const piece of pieces) await draft.write(piece);
    });
  }

  /** As `addStream`, of what is named by the SHA-256 of all its bytes. Null where they are others. */
  async addPlain(digest: Digest, pieces: AsyncIterable<Bytes>): Promise<HeldArtifact | null> {
    const draft = await DraftFile.open(this.#place.draft(), true);
    try {
      for await (const piece of pieces) await draft.write(piece);
      const { bytes, plain } = await draft.end();
      if (plain !== digest) return null;
      return await this.#moveIn(digest, bytes, null, draft.path, null);
    } finally {
      await draft.remove();
    }
  }

  async #add(write: (draft: DraftFile) => Promise<void>): Promise<AddedArtifact> {
    const draft = await DraftFile.open(this.#place.draft());
    try {
      await write(draft);
      const { bytes, digest, nodes, tree } = await draft.end();
      return { digest, bytes, held: await this.#moveIn(digest, bytes, tree, draft.path, nodes) };
    } finally {
      await draft.remove();
    }
  }

  async #moveIn(
    digest: Digest,
    bytes: number,
    tree: ArtifactTree | null,
    file: string,
    nodes: string | null,
  ): Promise<HeldArtifact> {
    this.#index.add(digest, bytes, true, () => this.#place.moveIn(digest, file, nodes));
    await this.#trust.trust(digest, tree);
    return this.#held(digest, bytes);
  }

  /**
   * Has it brought by whoever is given the work, and holds it once it is whole. Null where another process brings it just now, or
   * nobody brought all of it: what came stays for the next time, until `giveUp`. Throws the system's error and PartError.
   */
  async bring(
    digest: Digest,
    run: (work: ChunkWork, part: PartFile) => Promise<void>,
  ): Promise<HeldArtifact | null> {
    if (!this.#index.claimPart(digest)) return null;
    let part: PartFile | null = null;
    try {
      part = await PartFile.open(this.#place.part(digest));
      this.#parts.set(digest, part);
      const whole = part.whole();
      await Promise.race([whole, run(part, part)]);
      if (!part.isWhole) {
        part.fail(null);
        await whole.catch((error: unknown) => {
          if (error !== null) throw error;
        });
        return null;
      }
      // It is closed only then: others who read it meanwhile go on there, and find the whole one after that.
      const { file, nodes } = this.#place.part(digest);
      const { bytes, tree } = part;
      return await this.#moveIn(digest, bytes ?? 0, tree, file, tree.places.length > 0 ? nodes : null);
    } finally {
      this.#parts.delete(digest);
      await part?.close();
      this.#index.releasePart(digest);
    }
  }

  /** What of it came before is given up. */
  giveUp(digest: Digest): void {
    if (!this.#index.isPartTaken(digest)) this.#place.removePart(digest);
  }

  async open(digest: Digest): Promise<OpenArtifact | null> {
    const part = this.#parts.get(digest);
    if (part !== undefined && part.bytes !== null) return new PartReader(part);
    return (await this.#openUnread(digest)) ?? this.openWhole(digest);
  }

  /** A large one that nobody has read lately: each chunk is verified when it is read first. Null: it is small, or was read, or is not here. */
  async #openUnread(digest: Digest): Promise<StoredFile | null> {
    const entry = this.#index.entry(digest);
    if (entry === null || entry.bytes < trustedBytesMin) return null;
    const check = await this.#trust.checkOf(digest);
    if (check === null || this.#index.hold(digest) === null) return null;
    const held = this.#held(digest, entry.bytes);
    return this.#openFile(held, check.tree, check);
  }

  /** Null too where it has no tree: one that is named by the SHA-256 of more than a chunk. */
  async openWhole(digest: Digest): Promise<StoredFile | null> {
    const found = await this.#holdVerified(digest);
    if (found === null) return null;
    const { held, tree } = found;
    if (tree !== null) return this.#openFile(held, tree, null);
    held.release();
    return null;
  }

  async #openFile(held: HeldArtifact, tree: ArtifactTree, check: ChunkCheck | null): Promise<StoredFile> {
    try {
      return await StoredFile.open({
        ...{ path: held.path, nodes: this.#place.nodes(tree.root), tree, check },
        onDamage: () => this.lose(tree.root),
        onClose: () => held.release(),
      });
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /** Of what is marked as kept, what lies here, with its bytes. Throws the system's error. */
  kept(): ReadonlyMap<Digest, number> {
    const found = new Map<Digest, number>();
    for (const digest of this.keeps.all()) {
      const entry = this.#index.entry(digest);
      if (entry !== null) found.set(digest, entry.bytes);
    }
    return found;
  }

  /** Names its folder: the same for all processes that share it, and never that of another. Null where the disk takes no name. */
  name(): string | null {
    try {
      return this.#place.name();
    } catch {
      return null;
    }
  }

  /** False where a process reads it just now. */
  remove(digest: Digest): boolean {
    if (this.#index.holders(digest).length > 0) return false;
    this.#trust.forget(digest);
    this.#index.drop(digest, () => this.#place.remove(digest));
    return true;
  }

  /**
   * For others (PERSON-2): the bytes of a chunk or node by its own digest, whatever artifact here has it; null where none has. Throws the
   * system's error.
   */
  async chunk(digest: Digest): Promise<Bytes | null> {
    if (this.#index.entry(digest) !== null && !this.withheld.has(digest)) {
      const file = await this.openWhole(digest);
      if (file !== null) return fileChunk(file, digest);
    }
    const raw = Buffer.from(digest, "hex");
    for (const { bytes, digest: artifact } of this.#index.list()) {
      if (bytes <= chunkBytesMax) continue;
      const nodes = await readFile(this.#place.nodes(artifact)).catch(() => null);
      if (nodes === null || !nodes.includes(raw) || this.withheld.has(artifact)) continue;
      const file = await this.openWhole(artifact);
      const found = file === null ? null : await fileChunk(file, digest);
      if (found !== null) return found;
    }
    return null;
  }

  async close(): Promise<void> {
    this.#place.close();
    await this.#index.close();
  }
}

/** The chunk or node of that digest in an artifact, which is closed then. */
async function fileChunk(file: StoredFile, digest: Digest): Promise<Bytes | null> {
  try {
    for await (const node of file.nodes()) if (node.digest === digest) return node.data;
    const index = file.find(digest);
    return index === null ? null : await file.read(index, 1);
  } finally {
    await file.close();
  }
}
