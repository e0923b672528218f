/** Asks a small program once and takes what it prints. Its whole process group ends when it does not answer in time. */
import { spawn } from "node:child_process";
import { guardedEnvironment } from "./own-guard.ts";
import { systemCode } from "./system-error.ts";

/** A source must answer within this, ms. */
export const askDeadlineMs = 2_000;
const outputMaxChars = 65_536;
const saidMaxChars = 120;

export type Answer =
  | { readonly ok: true; readonly text: string }
  /** `missing`: there is no such program here. */
  | { readonly ok: false; readonly missing: boolean; readonly why: string };

export function askProgram(
  program: string,
  parameters: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const grouped = process.platform !== "win32";
  const child = spawn(program, parameters, {
    env: guardedEnvironment(environment),
    stdio: ["ignore", "pipe", "pipe"],
    detached: grouped,
    windowsHide: true,
  });
  let out = "";
  let err = "";
  const take = (text: string, more: string) => (text + more).slice(0, outputMaxChars);
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out = take(out, text)));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err = take(err, text)));
  const late = setTimeout(() => {
    endGroup(child.pid, grouped);
    resolve({ ok: false, missing: false, why: `${program} did not answer in ${askDeadlineMs / 1000} s` });
  }, askDeadlineMs);
  child.once("error", (error) => {
    clearTimeout(late);
    const missing = systemCode(error) === "ENOENT";
    resolve({ ok: false, missing, why: missing ? `${program} is not installed` : error.message });
  });
  child.once("close", (code) => {
    clearTimeout(late);
    if (code === 0) return resolve({ ok: true, text: out });
    const said = (err.trim() || out.trim()).split("\n")[0]?.slice(0, saidMaxChars) ?? "";
    const why = said === "" ? `${program} ended with ${code ?? "a signal"}` : `${program}: ${said}`;
    resolve({ ok: false, missing: false, why });
  });
  return promise;
}

function endGroup(pid: number | undefined, grouped: boolean): void {
  if (pid === undefined) return;
  try {
    process.kill(grouped ? -pid : pid, "SIGKILL");
  } catch {
    // It has ended a moment ago.
  }
}
