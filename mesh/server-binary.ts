/**
 * Finds a nats-server for this machine, or brings one in: no npm package ships it, so the ways
 * below are tried in order until one gives a binary that runs. Needs no privileges and changes
 * nothing outside our cache folder. Whether a server elsewhere is used instead (`NATS_URL`) is the
 * caller's question.
 */
import { cacheFolder } from "../system/cache-folder.ts";
import { chmodSync, readdirSync, rmSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { randomBytes } from "node:crypto";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";
import { buildWithGo } from "./server-go.ts";
import { downloadRelease } from "./server-release.ts";
import { unpackDebian } from "./server-debian.ts";
import {
  atLeast,
  showVersion,
  unsoundness,
  versionOf,
  wantedServer,
  type ServerVersion,
} from "./server-version.ts";
import { systemCode } from "../system/system-error.ts";
import { placeWhole } from "../system/whole-file.ts";
import { makeFolderSync } from "../system/make-folder.ts";

/** What we bring in when the machine has none. */
export const serverRelease = "2.15.1";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ServerBinary {
  readonly path: string;
  readonly version: ServerVersion;
  /** Which way gave it, to be shown: "TRIALMESH_NATS_SERVER", "PATH", "cache", "GitHub release"… */
  readonly way: string;
  /** What the user must know about it, or null. */
  readonly warning: string | null;
}

/** One way to bring in a server: puts the binary at `target`, or says in a few words why it could not. */
export type Bring = (target: string, release: string) => Promise<Outcome<null>>;

export interface BringWay {
  readonly name: string;
  readonly bring: Bring;
}

const bringWays: readonly BringWay[] = [
  { name: "GitHub release", bring: downloadRelease },
  { name: "Debian package", bring: unpackDebian },
  { name: "go install", bring: buildWithGo },
];

/**
 * The server to use. `progress` is called with one line before each long step. `ways` is replaced
 * in tests only. The refusal names every way tried and why it gave nothing.
 */
export async function findServer(
  environment: Environment,
  progress: (line: string) => void,
  ways: readonly BringWay[] = bringWays,
): Promise<Outcome<ServerBinary>> {
  const given = environment["TRIALMESH_NATS_SERVER"];
  const allowOld = allowsOldServer(environment);
  if (given !== undefined && given !== "") return givenServer(resolve(given), allowOld);
  const tried: string[] = [];

  const onPath = await pathServer(environment);
  const cache = cacheFolder(environment);
  const cached = await cachedServer(cache);
  const present = [onPath, cached].filter((found) => found !== null);
  const good = present.find((found) => unsoundness(found.version) === null);
  if (good !== undefined) return accept(good);
  if (onPath !== null && allowOld) return accept({ ...onPath, warning: unsoundWarning(onPath.version) });
  tried.push(
    onPath === null ? "PATH: no nats-server" : `PATH: ${onPath.path}, ${unsoundness(onPath.version)}`,
    `cache: none in ${cache}`,
  );

  for (const way of ways) {
    progress(`nats-server ${serverRelease}: trying ${way.name}`);
    const brought = await bringInto(cache, way);
    if (brought.ok) return brought;
    tried.push(`${way.name}: ${brought.refusal.message}`);
  }
  return refuse(
    "unavailable",
    `no nats-server: ${tried.join("; ")}. Install nats-server ${showVersion(wantedServer)} or newer from https://github.com/nats-io/nats-server/releases on PATH, or point TRIALMESH_NATS_SERVER at one`,
  );
}

/** For development: whoever says so uses a server with known faults, and is told. */
export function allowsOldServer(environment: Environment): boolean {
  return environment["TRIALMESH_ALLOW_OLD_SERVER"] === "1";
}

async function givenServer(path: string, allowOld: boolean): Promise<Outcome<ServerBinary>> {
  const version = await versionOf(path);
  if (version === null) {
    return refuse(
      "invalid",
      `TRIALMESH_NATS_SERVER names ${path}, which is not a nats-server that runs on this machine`,
    );
  }
  const why = unsoundness(version);
  if (why !== null && !allowOld)
    return refuse("unavailable", `TRIALMESH_NATS_SERVER names ${path}, and ${why}; name a newer one`);
  const warning = why === null ? null : unsoundWarning(version);
  return accept({ path, version, way: "TRIALMESH_NATS_SERVER", warning });
}

function unsoundWarning(version: ServerVersion): string {
  return `WARNING: ${unsoundness(version)}. For development only`;
}

async function pathServer(environment: Environment): Promise<ServerBinary | null> {
  for (const folder of (environment["PATH"] ?? "").split(delimiter)) {
    if (folder === "") continue;
    const path = join(folder, "nats-server");
    const version = await versionOf(path);
    if (version !== null) return { path, version, way: "PATH", warning: null };
  }
  return null;
}

async function cachedServer(cache: string): Promise<ServerBinary | null> {
  let best: ServerBinary | null = null;
  for (const folder of cachedFolders(cache)) {
    const path = join(cache, folder, "nats-server");
    const version = await versionOf(path);
    if (version === null || unsoundness(version) !== null) continue;
    if (best === null || atLeast(version, best.version))
      best = { path, version, way: "cache", warning: null };
  }
  return best;
}

function cachedFolders(cache: string): readonly string[] {
  try {
    return readdirSync(cache).filter((name) => /^nats-server-\d/.test(name));
  } catch {
    return []; // No cache yet, or none we may read: the next way decides.
  }
}

/** Lets one way fill a draft folder, and moves it into the cache only once its binary runs. */
async function bringInto(cache: string, way: BringWay): Promise<Outcome<ServerBinary>> {
  const draft = join(cache, `draft-${randomBytes(6).toString("hex")}`);
  try {
    makeFolderSync(draft);
    const target = join(draft, "nats-server");
    const brought = await way.bring(target, serverRelease);
    if (!brought.ok) return brought;
    chmodSync(target, 0o755);
    const version = await versionOf(target);
    if (version === null) return refuse("unavailable", "its program does not run on this machine");
    const why = unsoundness(version);
    if (why !== null) return refuse("unavailable", `it gave a version that is not to be used: ${why}`);
    const folder = join(cache, `nats-server-${showVersion(version)}`);
    makeFolderSync(folder);
    const path = join(folder, "nats-server");
    await placeWhole(target, path);
    return accept({ path, version, way: way.name, warning: null });
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    return refuse(
      "unavailable",
      code === "ENOSPC" ? `the disk of ${cache} is full` : `${cache} cannot be written (${code})`,
    );
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
