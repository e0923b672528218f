/**
 * Runs one outside program to its end with a limit on time. Not for long-lived children.
 */
import { execFile } from "node:child_process";
import { bytesPerMiB } from "../protocol/byte-unit.ts";
import { guardedEnvironment } from "../system/own-guard.ts";
import { systemCode } from "../system/system-error.ts";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";

const outputLimitBytes = 4 * bytesPerMiB;

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
}

/** The program's standard output; a refusal with its last line of complaint when it fails. */
export function runCommand(
  program: string,
  parameters: readonly string[],
  options: CommandOptions,
): Promise<Outcome<string>> {
  return new Promise((done) => {
    execFile(
      program,
      [...parameters],
      {
        timeout: options.timeoutMs,
        maxBuffer: outputLimitBytes,
        ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
        env: guardedEnvironment(options.env),
      },
      (error, stdout, stderr) => {
        if (error === null) return done(accept(stdout));
        if (systemCode(error) === "ENOENT") return done(refuse("unavailable", `${program} is not installed`));
        if (error.killed === true) {
          return done(refuse("unavailable", `${program} took longer than ${options.timeoutMs / 1000} s`));
        }
        const complaint = stderr.trim().split("\n").at(-1) ?? "";
        done(
          refuse(
            "unavailable",
            `${program} failed${complaint === "" ? "" : ` (${complaint.slice(0, 200)})`}`,
          ),
        );
      },
    );
  });
}
