/** A source that is a program which goes on and prints a reading per line. A program that fell silent or ended is unknown, and is started again. */
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { guardedEnvironment } from "../../../system/own-guard.ts";
import type { IdleReading, IdleSource } from "./idle-source.ts";

export interface LineSourceOptions {
  readonly name: string;
  readonly program: string;
  readonly parameters: readonly string[];
  readonly parse: (line: string) => IdleReading;
  /** Monotonic ms. */
  readonly now: () => number;
}

/** A line older than this tells nothing any more, ms. */
const silenceMaxMs = 3_000;
const startAgainMs = 10_000;

export function lineSource({ name, now, parameters, parse, program }: LineSourceOptions): IdleSource {
  let child: ChildProcess | null = null;
  let startedAt = -Infinity;
  let last: { readonly at: number; readonly reading: IdleReading } | null = null;
  let why = `${program} has said nothing yet`;
  let closed = false;

  const start = (): void => {
    startedAt = now();
    const started = spawn(program, parameters, {
      env: guardedEnvironment(),
      stdio: ["ignore", "pipe", "ignore"],
      windowsHide: true,
    });
    child = started;
    const end = () => void started.kill();
    const over = (reason: string) => {
      process.off("exit", end);
      if (child !== started) return;
      child = null;
      last = null;
      why = reason;
    };
    createInterface({ input: started.stdout }).on("line", (line) => {
      if (child === started) last = { at: now(), reading: parse(line) };
    });
    started.once("error", () => over(`${program} cannot be started`));
    started.once("close", (code) => over(`${program} ended with ${code ?? "a signal"}`));
    process.once("exit", end);
  };

  return {
    name,
    read: () => {
      if (!closed && child === null && now() - startedAt >= startAgainMs) start();
      if (last === null) return Promise.resolve({ kind: "unknown", why });
      const age = now() - last.at;
      if (age <= silenceMaxMs) return Promise.resolve(last.reading);
      return Promise.resolve({ kind: "unknown", why: `${program} has fallen silent` });
    },
    close: () => {
      closed = true;
      child?.kill();
    },
  };
}
