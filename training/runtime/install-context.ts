/** What the phases of an install share: where they work, what they may say, and refusals they all give. */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ManagedRuntime } from "./managed-runtime.ts";
import { complaint, isDiskFull, type StepEnd } from "./run-step.ts";

export interface InstallContext {
  readonly runtime: ManagedRuntime;
  /** The folder of all managed runtimes. */
  readonly folder: string;
  /** The unfinished runtime: what is whole in it has its final name, the rest a name of `part.ts`. */
  readonly staging: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** One line of progress. */
  readonly say: (line: string) => void;
}

interface Phase<T> {
  readonly value: T;
  /** What it brought, in bytes. */
  readonly size?: number;
  readonly note?: string;
}

/** Runs one phase and says how long it took. */
export async function phase<T>(
  context: InstallContext,
  name: string,
  work: () => Promise<Outcome<Phase<T>>>,
): Promise<Outcome<T>> {
  const from = performance.now();
  context.say(`${name}: started`);
  const done = await work();
  if (!done.ok) return done;
  const { value, size, note } = done.value;
  const seconds = `${((performance.now() - from) / 1000).toFixed(1)} s`;
  const parts = [note, size === undefined ? undefined : formatMb(size), seconds].filter(
    (part) => part !== undefined,
  );
  context.say(`${name}: done (${parts.join(", ")})`);
  return accept(value);
}

export function formatMb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 10e6 ? 1 : 0)} MB`;
}

type Refused = ReturnType<typeof refuse>;

/** Why a program that an install needs did not do its work, as a sentence. */
export function refuseStep(context: InstallContext, what: string, end: StepEnd, advice: string): Refused {
  if (end.how === "interrupted") return interrupted(context);
  if (isDiskFull(end.out)) return refuse("unavailable", diskFull(context));
  switch (end.how) {
    case "absent":
      return refuse("unavailable", `${what} is not installed; ${advice}`);
    case "late":
      return refuse("unavailable", `${what} took too long and was stopped; ${advice}`);
    case "done":
    case "failed":
      return refuse("unavailable", `${what} failed (${complaint(end.out)}); ${advice}`);
  }
}

export function interrupted({ runtime }: InstallContext): Refused {
  return refuse(
    "unavailable",
    `the install of ${runtime.name} was interrupted; run it again and it goes on from what is whole`,
  );
}

export function diskFull({ folder }: InstallContext): string {
  return `the disk of ${folder} is full; free some space, or name a folder on another disk with TRIALMESH_RUNTIME, and run this again`;
}
