/**
 * Ends a group of processes when this process is gone, however it went: a shell in a group of its own waits at the end of a
 * pipe, which closes with us. It asks first, and makes an end a little later. While it waits it uses no processor.
 */
import { spawn } from "node:child_process";

const graceSeconds = 3;
const script = `read -r line; kill -s TERM -- "-$1"; kill -s CONT -- "-$1"; sleep ${graceSeconds}; kill -s KILL -- "-$1"`;

/** Returns what calls it off. */
export function guardGroup(leader: number): () => void {
  if (process.platform === "win32") return () => undefined;
  const guard = spawn("/bin/sh", ["-c", script, "sh", String(leader)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  // Without a shell there is no guard, and the program runs all the same.
  guard.once("error", () => undefined);
  guard.stdin.once("error", () => undefined);
  guard.unref();
  return () => {
    guard.kill("SIGKILL");
    guard.stdin.destroy();
  };
}
