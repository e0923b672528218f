/**
 * A build as one file that a machine without internet unpacks and runs: packed once, kept in this machine's cache under the
 * build's digest. For another platform it holds only what is the same everywhere. Not sending it.
 */
import { createWriteStream, existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { cacheFolder } from "../../system/cache-folder.ts";
import type { Environment } from "../../system/environment.ts";
import { makeFolderSync } from "../../system/make-folder.ts";
import { partSuffix, sweepParts } from "../../system/partial-file.ts";
import { processIsAlive } from "../../system/process-alive.ts";
import { refuseDisk } from "../../system/system-error.ts";
import type { Build, BuildFile } from "./own-build.ts";
import { tarArchive, type TarEntry } from "./tar-archive.ts";

/** A clone that is worked on has a new build every hour; each is 100 MB. */
const archivesKeptMax = 4;

/**
 * Starts what lies beside it, wherever it was unpacked and through whatever links it is called. What runs keeps its own build
 * when `current` comes to name another.
 */
const launcher = `#!/bin/sh
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=$(dirname "$self")/$link ;;
  esac
done
build=$(cd "$(dirname "$self")/.." && pwd -P)
for node in "$build/node" "$build/package/node_modules/.bin/node" "$(command -v node)"; do
  [ -x "$node" ] && exec "$node" "$build/package/bin/trialmesh.mjs" "$@"
done
echo "trialmesh: there is no Node in $build and none on the path" >&2
exit 1
`;

export interface PackedBuild {
  readonly file: string;
  readonly bytes: number;
}

/** `whole`: with packages and Node, for machines like this one. */
export async function packBuild(
  environment: Environment,
  build: Build,
  whole: boolean,
): Promise<Outcome<PackedBuild>> {
  const entries = whole ? wholeBuild(build) : [start, ...build.own.map(inPackage)];
  const folder = join(cacheFolder(environment), "build");
  const platform = whole ? `${process.platform}-${process.arch}` : "any";
  const file = join(folder, `trialmesh-${build.version}-${build.id}-${platform}.tar.gz`);
  const part = `${file}${partSuffix}`;
  try {
    if (!existsSync(file)) {
      makeFolderSync(folder);
      sweepParts(folder, processIsAlive);
      // Fast rather than small: it goes over a local network once.
      const gzip = createGzip({ level: constants.Z_BEST_SPEED });
      await pipeline(Readable.from(tarArchive(entries)), gzip, createWriteStream(part));
      renameSync(part, file);
      dropOld(folder);
    }
    return accept({ file, bytes: statSync(file).size });
  } catch (error) {
    rmSync(part, { force: true });
    return refuseDisk(error, "write", file);
  }
}

/** What it takes once it is unpacked, with packages and Node. */
export function unpackedBytes(build: Build): number {
  return wholeBuild(build).reduce((total, { bytes }) => total + bytes, 0);
}

const start: TarEntry = {
  path: "bin/trialmesh",
  executable: true,
  bytes: Buffer.byteLength(launcher),
  content: Buffer.from(launcher),
};

function wholeBuild({ modules, own }: Build): readonly TarEntry[] {
  const bytes = statSync(process.execPath).size;
  const node: TarEntry = { path: "node", executable: true, bytes, content: { file: process.execPath } };
  return [start, node, ...[...own, ...modules].map(inPackage)];
}

function inPackage({ bytes, executable, from, path }: BuildFile): TarEntry {
  return { path: `package/${path}`, executable, bytes, content: { file: from } };
}

function dropOld(folder: string): void {
  const archives = readdirSync(folder)
    .filter((name) => name.endsWith(".tar.gz"))
    .map((name) => ({ path: join(folder, name), at: statSync(join(folder, name)).mtimeMs }))
    .toSorted((a, b) => b.at - a.at);
  for (const { path } of archives.slice(archivesKeptMax)) rmSync(path, { force: true });
}
