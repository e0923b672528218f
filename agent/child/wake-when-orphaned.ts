/**
 * A stopped process cannot notice that its parent is gone, and would keep its memory for ever. This starts a
 * shell that waits at the end of a pipe: when the agent dies, however it dies, the pipe closes, and the shell
 * wakes the process, which then ends by itself. While it waits it uses no processor.
 */
import { spawn } from "node:child_process";

const script = 'read -r line; kill -CONT "$1"';

/** Returns what calls it off. */
export function wakeWhenOrphaned(pid: number): () => void {
  // Out of the agent's process group: what ends the group must not end the watch first.
  const watch = spawn("/bin/sh", ["-c", script, "sh", String(pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Without a shell there is no watch, and the job is suspended all the same.
  watch.once("error", () => undefined);
  watch.stdin.once("error", () => undefined);
  watch.unref();
  return () => {
    watch.kill("SIGKILL");
    watch.stdin.destroy();
  };
}
