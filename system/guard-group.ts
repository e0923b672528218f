/**
 * Ends a group of processes when this process is gone, however it went: a shell in a group of its own waits at the end of a
 * pipe, which closes with us. It asks first, and makes an end a little later, also of what bears the group's mark elsewhere.
 * While it waits it uses no processor.
 */
import { spawn } from "node:child_process";
import { withoutInherited } from "./inherited-descriptor.ts";

const graceSeconds = 3;
const script = [
  "read -r line",
  'kill -s TERM -- "-$1"',
  'kill -s CONT -- "-$1"',
  `sleep ${graceSeconds}`,
  'kill -s KILL -- "-$1"',
  '[ -n "$2" ] || exit 0',
  'for file in $(grep -lsF -e "$2" /proc/[0-9]*/environ); do pid=${file#/proc/}; kill -s KILL "${pid%/environ}"; done',
].join("\n");

/** `mark`: what stands in the environment of every process of it. Returns what calls it off. */
export function guardGroup(leader: number, mark = ""): () => void {
  if (process.platform === "win32") return () => undefined;
  const guard = spawn("/bin/sh", ["-c", script, "sh", String(leader), mark], {
    stdio: withoutInherited(["pipe", "ignore", "ignore"] as const),
    detached: true,
  });
  // Without a shell there is no guard, and the program runs all the same.
  guard.once("error", () => undefined);
  guard.stdin?.once("error", () => undefined);
  guard.unref();
  return () => {
    guard.kill("SIGKILL");
    guard.stdin?.destroy();
  };
}
