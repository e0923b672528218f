/** Names of files and folders that are being made: they carry the maker's process, so that what a dead one left is known. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

export const partSuffix = `.part-${process.pid}`;
const partPattern = /\.part-(\d+)$/;

/** Takes away what others left; `alive` says whether a process still is. */
export function sweepParts(folder: string, alive: (pid: number) => boolean): void {
  for (const path of readdirSync(folder)) {
    const pid = Number(partPattern.exec(path)?.[1] ?? Number.NaN);
    if (Number.isNaN(pid) || (pid !== process.pid && alive(pid))) continue;
    rmSync(join(folder, path), { recursive: true, force: true });
  }
}
