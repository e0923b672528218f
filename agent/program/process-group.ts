/**
 * The processes of one command as a whole: signals for all of them, and an end that comes for them too where this process
 * ends. Who is in it, and why it is to end, is not its business.
 */
import { spawnSync } from "node:child_process";
import { guardGroup } from "../../system/guard-group.ts";

/** Groups that run, or wait suspended for ever: they may not outlive this process, however it ends. */
const groups = new Set<ProcessGroup>();
let watched = false;

export class ProcessGroup {
  /** Of its first process, which leads it; null where it could not be started. */
  readonly #pid: number | null;
  readonly #unguard: () => void;

  /** `guarded`: ended even where this process is killed and can do nothing any more. */
  constructor(pid: number | null, guarded: boolean) {
    this.#pid = pid;
    this.#unguard = guarded && pid !== null ? guardGroup(pid) : () => undefined;
    groups.add(this);
    endAllWithProcess();
  }

  /** Windows has no signals and no groups: there every signal ends the tree. */
  signal(name: NodeJS.Signals): void {
    if (this.#pid === null) return;
    try {
      if (process.platform === "win32") endTree(this.#pid);
      else process.kill(-this.#pid, name);
    } catch {
      // The group is gone already.
    }
  }

  kill(): void {
    this.signal("SIGKILL");
  }

  /** It is over: nothing guards it any more. */
  forget(): void {
    this.#unguard();
    groups.delete(this);
  }
}

function endAllWithProcess(): void {
  if (watched) return;
  watched = true;
  process.once("exit", () => {
    for (const group of groups) group.kill();
  });
}

/** Windows knows no groups of processes, and ends a tree by a program of its own. */
function endTree(pid: number): void {
  spawnSync("taskkill", ["/pid", String(pid), "/T", "/F"], { stdio: "ignore", windowsHide: true });
}
