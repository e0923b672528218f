/**
 * The processes of one command as a whole: those of its group, and those that left it but bear its mark. Signals for all of
 * them, and an end that comes for them too where this process ends. Why they are to end is not its business.
 */
import { spawnSync } from "node:child_process";
import type { Guard } from "../../system/guard.ts";
import { signalWithin } from "../../system/process-tree.ts";
import { endMarked, signalMarked } from "../../system/marked-process.ts";

/** Groups that run, or wait suspended for ever: they may not outlive this process, however it ends. */
const groups = new Set<ProcessGroup>();
let watched = false;

export interface ProcessGroupOptions {
  /** Of its first process, which leads it; null where it could not be started. */
  readonly pid: number | null;
  /** A word in the environment of its first process, and so of those it starts. */
  readonly mark: string;
  /** Ends them even where this process is killed and can do nothing any more; null where nobody does. */
  readonly guard: Guard | null;
  /** SANDBOX-3. Its first process is the sandbox: what is asked to end is what runs in it, for the sandbox would end at once. */
  readonly isConfined?: boolean;
}

export class ProcessGroup {
  readonly #pid: number | null;
  readonly #mark: string;
  readonly #guard: Guard | null;
  readonly #isConfined: boolean;

  constructor({ guard, isConfined = false, mark, pid }: ProcessGroupOptions) {
    this.#isConfined = isConfined;
    this.#pid = pid;
    this.#mark = mark;
    this.#guard = guard;
    if (pid !== null) guard?.lead(pid);
    groups.add(this);
    endAllWithProcess();
  }

  /** Of its group alone. Windows has no signals and no groups: there every signal ends the tree. */
  signal(name: NodeJS.Signals): void {
    if (this.#pid === null) return;
    try {
      if (process.platform === "win32") endTree(this.#pid);
      else if (this.#isConfined && name === "SIGTERM") signalWithin(this.#pid, name);
      else process.kill(-this.#pid, name);
    } catch {
      // The group is gone already.
    }
  }

  /** Also of what left the group. */
  signalAll(name: NodeJS.Signals): void {
    this.signal(name);
    if (this.#pid !== null) signalMarked(this.#mark, name);
  }

  kill(): void {
    this.signal("SIGKILL");
  }

  /** Kills them all, until there is none. */
  async end(): Promise<void> {
    this.kill();
    if (this.#pid !== null) await endMarked(this.#mark);
  }

  /** It is over: nothing guards it any more. */
  forget(): void {
    this.#guard?.callOff();
    groups.delete(this);
  }
}

function endAllWithProcess(): void {
  if (watched) return;
  watched = true;
  process.once("exit", () => {
    for (const group of groups) group.signalAll("SIGKILL");
  });
}

/** Windows knows no groups of processes, and ends a tree by a program of its own. */
function endTree(pid: number): void {
  spawnSync("taskkill", ["/pid", String(pid), "/T", "/F"], { stdio: "ignore", windowsHide: true });
}
