/**
 * Room that stays free on the disk of an agent's folder, whatever trials write: the mesh's own files are there too. DISK-2: with less
 * than that nothing new starts, and the attempt whose folder is what is missing is ended. Others' files are nobody's fault here.
 */
import { statfsSync } from "node:fs";
import { opendir, lstat } from "node:fs/promises";
import { join } from "node:path";
import { bytesPerGiB } from "../../protocol/byte-unit.ts";
import { formatBytes } from "../../text/figure.ts";

/** What is kept where the owner says nothing: 1 GiB or 2 % of the disk, whichever is more, and of a small disk a tenth. */
const keptBytes = bytesPerGiB;
const keptShare = 0.02;
const keptShareMax = 0.1;

export function defaultReserveBytes(diskBytes: number): number {
  return Math.min(Math.max(keptBytes, diskBytes * keptShare), diskBytes * keptShareMax);
}

export interface DiskReserveOptions {
  /** The agent's own. */
  readonly folder: string;
  /** As the owner said it; null where nothing was said. */
  readonly leaveFreeGiB: number | null;
}

export class DiskReserve {
  readonly #options: DiskReserveOptions;

  constructor(options: DiskReserveOptions) {
    this.#options = options;
  }

  /** Bytes that are missing from the reserve; 0 where none are, or nobody can tell. */
  missing(): number {
    const disk = this.#disk();
    return disk === null ? 0 : Math.max(0, disk.reserve - disk.free);
  }

  /** Bytes that may still be taken before the reserve is; 0 where nobody can tell. */
  spare(): number {
    const disk = this.#disk();
    return disk === null ? 0 : Math.max(0, disk.free - disk.reserve);
  }

  /** Why nothing new may start; null where it may. The same text as long as it lasts. */
  reason(): string | null {
    const disk = this.#disk();
    if (disk === null || disk.free >= disk.reserve) return null;
    return `less than the ${formatBytes(disk.reserve)} that stay free (--leave-free-disk) is free on the disk of ${this.#options.folder}`;
  }

  /** Of attempts by their folders, the one that wrote what is missing, with a sentence; null where none did. */
  async eater<K>(
    attempts: ReadonlyMap<K, string>,
  ): Promise<{ readonly attempt: K; readonly reason: string } | null> {
    const missing = this.missing();
    if (missing === 0) return null;
    let most: { attempt: K; folder: string; bytes: number } | null = null;
    for (const [attempt, folder] of attempts) {
      const bytes = await folderBytes(folder);
      if (bytes >= Math.max(missing, most?.bytes ?? 0)) most = { attempt, folder, bytes };
    }
    const disk = this.#disk();
    if (most === null || disk === null) return null;
    const { attempt, bytes, folder } = most;
    return {
      attempt,
      reason: `it wrote ${formatBytes(bytes)} into ${folder} and left ${formatBytes(disk.free)} free on its disk, where ${formatBytes(disk.reserve)} stay free (--leave-free-disk)`,
    };
  }

  #disk(): { readonly free: number; readonly reserve: number } | null {
    try {
      const { bavail, blocks, bsize } = statfsSync(this.#options.folder);
      const said = this.#options.leaveFreeGiB;
      const reserve = said === null ? defaultReserveBytes(blocks * bsize) : said * bytesPerGiB;
      return { free: bavail * bsize, reserve };
    } catch {
      return null;
    }
  }
}

/** What a folder takes on its disk, files that appear or go meanwhile left out; 0 where there is none. */
async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  try {
    for await (const entry of await opendir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) bytes += await folderBytes(path);
      else
        bytes += await lstat(path).then(
          ({ blocks }) => blocks * 512,
          () => 0,
        );
    }
  } catch {
    // It is gone, or was never made.
  }
  return bytes;
}
