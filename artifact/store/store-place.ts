/** Where things lie in the folder of a local store. One artifact is one plain file that whoever trains can read by its path. */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Digest } from "../../protocol/id.ts";
import { makeFolderSync } from "../../system/make-folder.ts";
import { isLiving, processName } from "../../store/shared-store.ts";
import { systemCode } from "../../system/system-error.ts";
import { writeWholeSync } from "../../system/whole-file.ts";
import { DigestMark } from "./digest-mark.ts";
import type { PartPlace } from "./part-file.ts";

const ownerOnlyMode = 0o700;
const nameCharacters = 32;
export const nodesSuffix = ".tree";

export class StorePlace {
  readonly folder: string;
  /** Not evicted, as somebody has said. */
  readonly pins: DigestMark;
  /** Checkpoints that lie at agents and not in the mesh's store. */
  readonly keeps: DigestMark;
  /** PERSON-2: what was put onto this machine alone, while the mesh could not be asked. */
  readonly withheld: DigestMark;
  /** Of this store's own: what is being made. */
  readonly #drafts: string;
  readonly #made = new Set<string>();

  /** Throws the system's error. */
  constructor(folder: string) {
    this.folder = folder;
    for (const name of ["index", "files", "parts", "drafts"])
      makeFolderSync(join(folder, name), ownerOnlyMode);
    this.pins = new DigestMark(join(folder, "pins"));
    this.keeps = new DigestMark(join(folder, "kept"));
    this.withheld = new DigestMark(join(folder, "withheld"));
    // What a killed process left half-written there is of no use to anyone.
    for (const name of readdirSync(join(folder, "drafts")))
      if (!isLiving(name)) rmSync(join(folder, "drafts", name), { recursive: true, force: true });
    this.#drafts = join(folder, "drafts", `${processName()}-${randomBytes(4).toString("hex")}`);
    makeFolderSync(this.#drafts, ownerOnlyMode);
  }

  get indexFolder(): string {
    return join(this.folder, "index");
  }

  file(digest: Digest): string {
    return join(this.folder, "files", digest.slice(0, 2), digest);
  }

  /** Nodes of the artifact's tree, where it has any. */
  nodes(digest: Digest): string {
    return this.file(digest) + nodesSuffix;
  }

  /** Names this folder among others, for ever. */
  name(): string {
    const file = join(this.folder, "name");
    const fresh = randomBytes(nameCharacters / 2).toString("hex");
    try {
      writeFileSync(file, fresh, { flag: "wx" });
      return fresh;
    } catch (error) {
      if (systemCode(error) !== "EEXIST") throw error;
    }
    const known = readFileSync(file, "utf8");
    // Whoever made it was killed as it did.
    if (known.length !== nameCharacters) writeWholeSync(file, fresh);
    return known.length === nameCharacters ? known : fresh;
  }

  part(digest: Digest): PartPlace {
    const file = join(this.folder, "parts", digest);
    return { digest, file, nodes: file + nodesSuffix };
  }

  /** Bytes, as it was said last; null where nobody said it. */
  readQuota(): number | null {
    try {
      return Number.parseInt(readFileSync(join(this.folder, "quota"), "utf8"), 10);
    } catch {
      return null;
    }
  }

  writeQuota(bytes: number): void {
    writeWholeSync(join(this.folder, "quota"), String(bytes));
  }

  /** For a file that is being made: gone with this process. */
  draft(): string {
    return join(this.#drafts, randomBytes(8).toString("hex"));
  }

  close(): void {
    rmSync(this.#drafts, { recursive: true, force: true });
  }

  /** Moves a file and its nodes to their place, nodes first. `nodes` null: it has none. At once, for it happens within a change of the index. */
  moveIn(digest: Digest, file: string, nodes: string | null): void {
    const folder = join(this.folder, "files", digest.slice(0, 2));
    if (!this.#made.has(folder)) makeFolderSync(folder, ownerOnlyMode);
    this.#made.add(folder);
    if (nodes !== null) renameSync(nodes, this.nodes(digest));
    renameSync(file, this.file(digest));
  }

  /** Moves them out of their place; where they are not there nothing happens. */
  moveOut(digest: Digest, file: string, nodes: string): void {
    renameIfThere(this.file(digest), file);
    renameIfThere(this.nodes(digest), nodes);
  }

  /** Parts that lie there, and when each was last written to, ms since the Unix epoch. */
  parts(): readonly { readonly digest: Digest; readonly at: number }[] {
    const folder = join(this.folder, "parts");
    const times = new Map<Digest, number>();
    for (const name of readdirSync(folder)) {
      const digest = name.replace(nodesSuffix, "");
      const { mtimeMs } = statSync(join(folder, name), { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
      times.set(digest, Math.max(times.get(digest) ?? 0, mtimeMs));
    }
    return [...times].map(([digest, at]) => ({ digest, at }));
  }

  remove(digest: Digest): void {
    for (const path of [this.file(digest), this.nodes(digest)]) rmSync(path, { force: true });
  }

  removePart(digest: Digest): void {
    const { file, nodes } = this.part(digest);
    for (const path of [file, nodes]) rmSync(path, { force: true });
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
