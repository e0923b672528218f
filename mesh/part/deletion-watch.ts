/**
 * END-3: notices that a file or folder of a running process was deleted, also where another lies in its place by now. The process
 * itself would go on writing to what nobody can ever read again. It mends nothing.
 */
import { statSync } from "node:fs";
import { systemCode } from "../../system/system-error.ts";

const lookEveryMs = 1_000;

/** Calls `onGone` once, with the first of the paths that is gone. Returns what ends the watch. */
export function watchForDeletion(paths: readonly string[], onGone: (path: string) => void): () => void {
  const known = paths.map((path) => ({ path, identity: identityOf(path) }));
  const timer = setInterval(() => {
    const gone = known.find(({ identity, path }) => {
      const now = identityOf(path);
      return identity !== null && identity !== nothing && now !== null && now !== identity;
    });
    if (gone === undefined) return;
    clearInterval(timer);
    onGone(gone.path);
  }, lookEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** What whoever wrote there is to say. */
export function deletedReason(path: string): string {
  return `${path} was deleted while it was in use, and with it what lay there; put it back from a backup, or start anew`;
}

const nothing = "nothing";

/** Null where the disk does not say just now: it may be far away, and come back. */
function identityOf(path: string): string | null {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    return systemCode(error) === "ENOENT" ? nothing : null;
  }
}
