/** Where the artifact bench works: a folder on the project's own disk with identities, artifacts, and a folder for each machine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Digest } from "../../protocol/id.ts";
import { benchFolder } from "../shared/bench-folder.ts";
import { PeerAuthority } from "./peer-certificate.ts";
import { PlainShelf } from "./plain-shelf.ts";

export class BenchPlace {
  readonly folder: string;
  readonly #authority = new PeerAuthority();
  readonly #identities = new Map<string, string>();
  #folders = 0;

  constructor() {
    mkdirSync(benchFolder, { recursive: true });
    this.folder = mkdtempSync(join(benchFolder, "artifact-"));
  }

  /** The file with what this name shows itself by. */
  identity(name: string): string {
    const known = this.#identities.get(name);
    if (known !== undefined) return known;
    const { authority, certificate, key } = this.#authority.identity(name);
    const path = join(this.folder, `${name}.json`);
    writeFileSync(path, JSON.stringify({ key, certificate, authority }));
    this.#identities.set(name, path);
    return path;
  }

  /** A new empty folder. */
  newFolder(): string {
    const folder = join(this.folder, `machine-${++this.#folders}`);
    mkdirSync(folder);
    return folder;
  }

  removeFolder(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
  }

  /** An artifact of random bytes in a folder of its own. */
  async artifact(mebibytes: number): Promise<{ readonly folder: string; readonly digest: Digest }> {
    const folder = this.newFolder();
    const shelf = new PlainShelf(folder);
    const digest = await shelf.add(randomPieces(mebibytes));
    await shelf.close();
    return { folder, digest };
  }

  close(): void {
    this.#authority.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function* randomPieces(mebibytes: number): Iterable<Uint8Array> {
  const piece = Buffer.alloc(bytesPerMiB);
  for (let at = 0; at < mebibytes; at++) yield randomFillSync(piece);
}
