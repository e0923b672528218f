/**
 * Tries one backend in a child process with a deadline: a backend that hangs, crashes or computes
 * wrongly takes nothing down. The result is data; which backend to use follows from its rates.
 */
import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import type { BackendName } from "../../protocol/capability.ts";

export const backendProbeSchema = z.object({
  name: z.string(),
  works: z.boolean(),
  reason: z.string().nullable(),
  version: z.string().nullable(),
  measured: z.array(z.object({ kind: z.string(), examplesPerSecond: z.number().positive() })),
});
export type BackendProbe = z.infer<typeof backendProbeSchema> & {
  /** True when the deadline cut it short: a busy machine, not a verdict to remember. */
  readonly late: boolean;
};

export const probeDeadlineMs = 10_000;

export function probeBackend(name: BackendName, deadlineMs = probeDeadlineMs): Promise<BackendProbe> {
  const here = fileURLToPath(import.meta.url);
  const entry = fileURLToPath(new URL(`./probe-child${extname(here)}`, import.meta.url));
  return new Promise((resolve) => {
    const failed = (reason: string, late: boolean): BackendProbe => ({
      name,
      works: false,
      reason,
      version: null,
      measured: [],
      late,
    });
    const proc = fork(entry, [name], { stdio: ["ignore", "ignore", "ignore", "ipc"], execArgv: [] });
    let result: BackendProbe | null = null;
    const timer = setTimeout(() => {
      result ??= failed(`it gave no answer within ${deadlineMs / 1000} s`, true);
      proc.kill("SIGKILL");
    }, deadlineMs);
    proc.on("message", (message) => {
      const parsed = backendProbeSchema.safeParse(message);
      result ??= parsed.success
        ? { ...parsed.data, late: false }
        : failed("its probe gave an answer that does not parse", false);
    });
    const settle = (how: string) => {
      clearTimeout(timer);
      resolve(result ?? failed(`its probe ended early (${how})`, false));
    };
    proc.once("error", (error) => settle(error.message));
    proc.once("exit", (code, signal) =>
      settle(signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`),
    );
  });
}
