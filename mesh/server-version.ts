/**
 * What a nats-server binary says its version is, and how versions compare.
 * Not where a binary comes from: see `server-binary.ts`.
 */
import { execFile } from "node:child_process";
import { guardedEnvironment } from "../system/own-guard.ts";

/** Major, minor, patch. */
export type ServerVersion = readonly [number, number, number];

/**
 * The first of each line without the security faults that its makers have published advisories on
 * (https://github.com/nats-io/nats-server/security/advisories); what lies between is refused like what is older.
 */
const soundServers: readonly ServerVersion[] = [
  [2, 12, 12],
  [2, 14, 3],
];
/** What to install: every later one is sound. */
export const wantedServer: ServerVersion = [2, 14, 3];

const askTimeoutMs = 5_000;

export function parseServerVersion(text: string): ServerVersion | null {
  const found = /v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return found === null ? null : [Number(found[1]), Number(found[2]), Number(found[3])];
}

export function atLeast(found: ServerVersion, wanted: ServerVersion): boolean {
  for (const [index, part] of wanted.entries()) {
    const difference = (found[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** Why this server is not to be used, or null where it may be. */
export function unsoundness(found: ServerVersion): string | null {
  const last = soundServers.at(-1) ?? found;
  const sameLine = soundServers.find(([major, minor]) => major === found[0] && minor === found[1]);
  if (sameLine === undefined ? atLeast(found, last) : atLeast(found, sameLine)) return null;
  const lines = soundServers.map(showVersion).join(", or ");
  return `nats-server ${showVersion(found)} has security faults that are published and mended in ${lines} and later`;
}

export function showVersion(version: ServerVersion): string {
  return version.join(".");
}

/** Runs `<path> --version`; null where there is no such program or it does not run here. */
export function versionOf(path: string): Promise<ServerVersion | null> {
  return new Promise((done) => {
    execFile(path, ["--version"], { env: guardedEnvironment(), timeout: askTimeoutMs }, (error, stdout) => {
      done(error === null ? parseServerVersion(stdout) : null);
    });
  });
}
