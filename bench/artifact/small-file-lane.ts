/** A folder of many small files, the whole way: taken into one machine's store, received by another, written out there again. */
import { mkdirSync, writeFileSync } from "node:fs";
import { randomFillSync } from "node:crypto";
import { join } from "node:path";
import { listForPack, packFolderBytes } from "../../artifact/folder/pack-folder.ts";
import { unpackFolder } from "../../artifact/folder/unpack-folder.ts";
import { openArtifactStore } from "../../artifact/store/open-artifact-store.ts";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { systemClock } from "../../protocol/time/system-clock.ts";
import { valueOf } from "../shared/value-of.ts";
import type { BenchPlace } from "./bench-place.ts";
import { pairRound } from "./pair-lane.ts";

/** From nothing to twice this, as they come; bytes. */
const usualBytes = 4 * bytesPerKiB;
const filesOfFolder = 1_000;

export interface SmallFiles {
  readonly files: number;
  /** Of what is in them. */
  readonly bytes: number;
  /** Reading the folder and naming it, in seconds; receiving it; reading it once more and writing the files. */
  readonly packed: number;
  readonly received: number;
  readonly unpacked: number;
}

export async function smallFileRound(place: BenchPlace, files: number): Promise<SmallFiles> {
  const [from, to, work] = [place.newFolder(), place.newFolder(), place.newFolder()];
  const bytes = makeFiles(join(work, "in"), files);
  const store = valueOf(openArtifactStore({ folder: from, clock: systemClock, quotaBytes: null }));
  const began = performance.now();
  const listed = valueOf(await listForPack(join(work, "in")));
  const { digest, held } = await store.addStream(packFolderBytes(listed));
  const wasPacked = performance.now();
  held.release();
  await store.close();
  const { seconds } = await pairRound(place, { folder: from, digest }, { folder: to });
  const took = valueOf(openArtifactStore({ folder: to, clock: systemClock, quotaBytes: null }));
  const wasReceived = performance.now();
  const here = await took.hold(digest);
  if (here === null) throw new Error("what was received is not there");
  const written = valueOf(await unpackFolder(here, join(work, "out")));
  const ended = performance.now();
  here.release();
  await took.close();
  if (written.files !== files) throw new Error(`${written.files} files came of ${files}`);
  for (const folder of [from, to, work]) place.removeFolder(folder);
  return {
    ...{ files, bytes, packed: (wasPacked - began) / 1_000, received: seconds },
    unpacked: (ended - wasReceived) / 1_000,
  };
}

/** How many bytes they have. */
function makeFiles(folder: string, files: number): number {
  const content = randomFillSync(Buffer.alloc(2 * usualBytes));
  let bytes = 0;
  for (let number = 0; number < files; number++) {
    const at = join(folder, String(Math.floor(number / filesOfFolder)));
    if (number % filesOfFolder === 0) mkdirSync(at, { recursive: true });
    content.writeUInt32BE(number);
    const length = (number * 7_919) % content.length;
    writeFileSync(join(at, `${number}.txt`), content.subarray(0, length));
    bytes += length;
  }
  return bytes;
}
