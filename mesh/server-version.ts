/**
 * What a nats-server binary says its version is, and how versions compare.
 * Not where a binary comes from: see `server-binary.ts`.
 */
import { execFile } from "node:child_process";

/** Major, minor, patch. */
export type ServerVersion = readonly [number, number, number];

/** The first with `sync_interval`: older ones may lose acknowledged writes when the power fails. */
export const oldestServer: ServerVersion = [2, 10, 0];
/** From here on every feature we rest on is there. */
export const wantedServer: ServerVersion = [2, 12, 0];

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

export function showVersion(version: ServerVersion): string {
  return version.join(".");
}

/** Runs `<path> --version`; null where there is no such program or it does not run here. */
export function versionOf(path: string): Promise<ServerVersion | null> {
  return new Promise((done) => {
    execFile(path, ["--version"], { timeout: askTimeoutMs }, (error, stdout) => {
      done(error === null ? parseServerVersion(stdout) : null);
    });
  });
}
