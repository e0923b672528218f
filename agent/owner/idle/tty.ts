/**
 * Input at terminals, local and remote, as `w` finds it: reading from a terminal sets its device's access time
 * (Linux to within 8 s). It knows of no desktop.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { IdleReading, IdleSource } from "./idle-source.ts";

export interface TerminalFolder {
  readonly path: string;
  /** Which of its files are terminals. */
  readonly names: RegExp;
}

export const linuxTerminals: readonly TerminalFolder[] = [
  { path: "/dev", names: /^tty(S|ACM|USB)?[1-9]\d*$|^tty(S|ACM|USB)0$/ },
  { path: "/dev/pts", names: /^\d+$/ },
];
export const macTerminals: readonly TerminalFolder[] = [{ path: "/dev", names: /^ttys\d+$/ }];

/** `now`: ms since the Unix epoch. */
export function terminals(folders: readonly TerminalFolder[], now: () => number): IdleSource {
  return {
    name: "terminal",
    read: () =>
      Promise.resolve(
        latestInput(
          folders.flatMap((folder) => accessTimes(folder)),
          now(),
        ),
      ),
  };
}

/** Access times and now in ms since the Unix epoch. */
export function latestInput(times: readonly number[], now: number): IdleReading {
  if (times.length === 0) return { kind: "absent", why: "there is no terminal" };
  return { kind: "idle", source: "terminal", ms: Math.max(0, now - Math.max(...times)) };
}

function accessTimes({ path, names }: TerminalFolder): number[] {
  let files: string[];
  try {
    files = readdirSync(path);
  } catch {
    return []; // no such folder, no such terminals
  }
  return files
    .filter((file) => names.test(file))
    .flatMap((file) => {
      const status = statSync(join(path, file), { throwIfNoEntry: false });
      return status?.isCharacterDevice() === true ? [status.atimeMs] : [];
    });
}
