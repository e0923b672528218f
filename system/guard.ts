/**
 * END-1: ends what this process has started when this process is gone, however it went: a shell in a session of its own waits at
 * the end of a pipe, which closes with us. It finds what is to end by a mark in its environment, so it is opened before
 * anything is started and nothing is ever without it; where no such thing is shown (elsewhere than on Linux) it knows the
 * groups that it was told of. While it waits it uses no processor.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { withoutInherited } from "./inherited-descriptor.ts";
import { runVariable } from "./marked-process.ts";

export interface GuardOptions {
  /** In the environment of every process that is to end (`marked-process.ts`). */
  readonly mark: string;
  /** Between asking and killing, whole seconds. */
  readonly graceSeconds?: number;
  /** SIGTERM at first; else they are only woken, for they find out by themselves that we are gone. */
  readonly asks?: boolean;
  /** Only once nothing with this mark is left, and no later than after the grace. */
  readonly after?: string;
}

export interface Guard {
  /** A group of processes that this one leads is to end too. */
  lead(pid: number): void;
  /** Nothing is to end any more. */
  callOff(): void;
}

const graceDefaultSeconds = 3;
// What grep answers with tells nothing: some process or other is always gone before it is read.
const script = `trap "" TERM INT HUP
leaders=
while read -r pid; do leaders="$leaders $pid"; done
found() { [ -n "$1" ] && grep -lsF -e "$1" /proc/[0-9]*/environ; }
any() { [ -n "$(found "$1")" ]; }
each() {
  for pid in $leaders; do kill -s "$1" -- "-$pid"; done
  for file in $(found "$mark"); do pid=\${file#/proc/}; kill -s "$1" "\${pid%/environ}"; done
}
left() {
  for pid in $leaders; do kill -s 0 -- "-$pid" && return 0; done
  any "$mark"
}
mark=$1 grace=$2 asks=$3 after=$4 waited=0
while [ "$waited" -lt "$grace" ] && any "$after"; do sleep 1; waited=$((waited+1)); done
[ "$asks" = asks ] && each TERM
each CONT
waited=0
while [ "$waited" -lt "$grace" ] && left; do sleep 1; waited=$((waited+1)); done
waited=0
while [ "$waited" -lt 5 ] && left; do each KILL; sleep 1; waited=$((waited+1)); done`;

export function openGuard(options: GuardOptions): Guard {
  if (process.platform === "win32") return { lead: () => undefined, callOff: () => undefined };
  return new ShellGuard(options);
}

class ShellGuard implements Guard {
  readonly #options: GuardOptions;
  readonly #leaders: number[] = [];
  #shell: ChildProcess;
  #isOff = false;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#shell = this.#open();
  }

  lead(pid: number): void {
    this.#leaders.push(pid);
    this.#shell.stdin?.write(`${pid}\n`);
  }

  callOff(): void {
    this.#isOff = true;
    this.#shell.kill("SIGKILL");
    this.#shell.stdin?.destroy();
  }

  #open(): ChildProcess {
    const { after = "", asks = true, graceSeconds = graceDefaultSeconds, mark } = this.#options;
    const parameters = [mark, String(graceSeconds), asks ? "asks" : "wakes", after];
    const shell = spawn("/bin/sh", ["-c", script, "sh", ...parameters], {
      stdio: withoutInherited(["pipe", "ignore", "ignore"] as const),
      detached: true,
      // It must bear no mark itself: whoever guards us would end our guard before us.
      env: { ...process.env, [runVariable]: undefined },
    });
    // Without a shell there is no guard, and what it was to guard runs all the same.
    shell.once("error", () => undefined);
    shell.stdin?.on("error", () => undefined);
    shell.unref();
    // Somebody ended it, and nothing else would end what it guards.
    shell.once("exit", () => {
      if (this.#isOff) return;
      this.#shell = this.#open();
      for (const pid of this.#leaders) this.#shell.stdin?.write(`${pid}\n`);
    });
    return shell;
  }
}
