/**
 * Runs one outside program of an install to its end: in a process group of its own, which ends when the install
 * is interrupted, takes too long or is killed. What it prints is kept for a complaint, not shown.
 */
import { spawn } from "node:child_process";
import { systemCode } from "../../system/system-error.ts";
import { openGuard } from "../../system/guard.ts";
import { markedEnvironment, newMark } from "../../system/marked-process.ts";

const keptCharacters = 200_000;

export interface Step {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type StepEnd =
  | { readonly how: "done"; readonly out: string }
  | { readonly how: "failed"; readonly out: string }
  /** There is no such program. */
  | { readonly how: "absent"; readonly out: string }
  | { readonly how: "late"; readonly out: string }
  | { readonly how: "interrupted"; readonly out: string };

/** `out`: the end of what it printed on either stream. */
export function runStep(step: Step): Promise<StepEnd> {
  return new Promise((resolve) => {
    if (step.signal.aborted) return resolve({ how: "interrupted", out: "" });
    const mark = newMark();
    const guard = openGuard({ mark });
    const child = spawn(step.program, [...step.parameters], {
      cwd: step.cwd,
      env: markedEnvironment(step.env, mark),
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
    });
    let out = "";
    const keep = (text: string) => {
      out = (out + text).slice(-keptCharacters);
    };
    child.stdout.setEncoding("utf8").on("data", keep);
    child.stderr.setEncoding("utf8").on("data", keep);
    const { pid } = child;
    if (pid !== undefined) guard.lead(pid);
    let why: "late" | "interrupted" | null = null;
    const end = (reason: "late" | "interrupted") => {
      why ??= reason;
      endGroup(pid, child.kill.bind(child, "SIGKILL"));
    };
    const late = setTimeout(() => end("late"), step.timeoutMs);
    const interrupt = () => end("interrupted");
    step.signal.addEventListener("abort", interrupt, { once: true });
    const settle = (result: StepEnd) => {
      clearTimeout(late);
      step.signal.removeEventListener("abort", interrupt);
      guard.callOff();
      resolve(result);
    };
    child.once("error", (error: NodeJS.ErrnoException) =>
      settle({ how: systemCode(error) === "ENOENT" ? "absent" : "failed", out: error.message }),
    );
    child.once("close", (code) => settle({ how: why ?? (code === 0 ? "done" : "failed"), out }));
  });
}

function endGroup(leader: number | undefined, endChild: () => boolean): void {
  if (leader === undefined || process.platform === "win32") return void endChild();
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    endChild();
  }
}

/** The line of a program's output that says most about why it failed. */
export function complaint(out: string): string {
  const lines = out
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const telling = lines.find((line) => /\b(?:ERROR|error|Error|fatal)\b/.test(line));
  return (telling ?? lines.at(-1) ?? "it said nothing").slice(0, 300);
}

export function isDiskFull(out: string): boolean {
  return /ENOSPC|no space left on device|disk quota exceeded/iu.test(out);
}
