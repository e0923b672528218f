/** Where the artifact bench works: a folder on the project's own disk with identities, artifacts, and a folder for each machine. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import type { Digest } from "../../protocol/id.ts";
import { openArtifactStore } from "../../artifact/store/open-artifact-store.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { benchFolder } from "../shared/bench-folder.ts";
import { valueOf } from "../shared/value-of.ts";
import { PeerAuthority } from "./peer-certificate.ts";

/** In the store of `folder`; `file`: where its bytes lie. */
export interface BenchArtifact {
  readonly folder: string;
  readonly digest: Digest;
  readonly file: string;
}

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

  /** An artifact of random bytes in a store of its own. */
  async artifact(mebibytes: number): Promise<BenchArtifact> {
    const folder = this.newFolder();
    const store = valueOf(openArtifactStore({ folder, clock: systemClock, quotaBytes: null }));
    const { digest, held } = await store.addStream(randomPieces(mebibytes));
    held.release();
    await store.close();
    return { folder, digest, file: held.path };
  }

  close(): void {
    this.#authority.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function* randomPieces(mebibytes: number): AsyncIterable<Uint8Array> {
  const piece = Buffer.alloc(bytesPerMiB);
  for (let at = 0; at < mebibytes; at++) yield randomFillSync(piece);
}
