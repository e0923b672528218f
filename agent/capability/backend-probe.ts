/**
 * Tries one backend in a child process with a deadline: a backend that hangs, crashes or computes
 * wrongly takes nothing down. The result is data; which backend to use follows from its rates.
 */
import { fork } from "node:child_process";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { longText, listOf } from "../../protocol/bound.ts";
import { guardedEnvironment } from "../../system/own-guard.ts";
import { backendNameSchema, type BackendName } from "../../protocol/capability.ts";

const modelRateSchema = z.object({
  kind: longText,
  examplesPerSecond: z.number().positive(),
  /** How much others were in the way, 0 to 1. */
  load: z.number().min(0).max(1),
});

/** What the child says: one line for each thing it has found, and `done` when there is nothing more to try. */
export const probeLineSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("opened"), version: longText, device: longText.nullable() }),
  z.object({ type: z.literal("trains"), ...modelRateSchema.shape }),
  /** One model cannot be trained on it; the others may. */
  z.object({ type: z.literal("cannot"), reason: longText }),
  /** It must not be used at all. */
  z.object({ type: z.literal("broken"), reason: longText }),
  z.object({ type: z.literal("done") }),
]);
export type ProbeLine = z.infer<typeof probeLineSchema>;

export const backendProbeSchema = z.object({
  name: backendNameSchema,
  /** It opened, and computed nothing wrongly. */
  sound: z.boolean(),
  /** It is sound, and some model here can be trained on it. */
  works: z.boolean(),
  /** Why it does not work, or what does not work on it. */
  reason: longText.nullable(),
  version: longText.nullable(),
  /** What it computes on, as it names that itself. */
  device: longText.nullable(),
  measured: listOf(modelRateSchema),
  /** True when time ran out: perhaps a busy machine, not a verdict to remember. */
  late: z.boolean(),
});
export type BackendProbe = Readonly<z.infer<typeof backendProbeSchema>>;

/** Between two things it shows; a model's first epoch on a busy machine fits well. */
const silenceMs = 30_000;
/** From its start. A slow machine keeps what was shown by then. */
const wholeMs = 180_000;

export interface BackendProbeOptions {
  readonly silenceMs?: number;
  readonly wholeMs?: number;
  /** For the child, over this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Only these kinds of work; all when left out. */
  readonly kinds?: readonly string[];
  /** Another program in the child's place, for tests. */
  readonly entry?: string;
  /** Ends the child at once; what it found then counts for nothing. */
  readonly signal?: AbortSignal;
}

export function probeBackend(name: BackendName, options: BackendProbeOptions = {}): Promise<BackendProbe> {
  const limit = { silenceMs: options.silenceMs ?? silenceMs, wholeMs: options.wholeMs ?? wholeMs };
  const here = fileURLToPath(import.meta.url);
  const entry = options.entry ?? fileURLToPath(new URL(`./probe-child${extname(here)}`, import.meta.url));
  return new Promise((resolve) => {
    const proc = fork(entry, [name, ...(options.kinds ?? [])], {
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      execArgv: [],
      env: guardedEnvironment({ ...process.env, ...options.environment }),
    });
    const lines: ProbeLine[] = [];
    let end: ProbeEnd | null = null;
    const stop = (how: ProbeEnd): void => {
      end ??= how;
      proc.kill("SIGKILL");
    };
    const hung = () => stop({ how: "hung", reason: `it gave no answer within ${limit.silenceMs / 1000} s` });
    let silence = setTimeout(hung, limit.silenceMs);
    const whole = setTimeout(
      () => stop({ how: "slow", reason: `it was not done after ${limit.wholeMs / 1000} s` }),
      limit.wholeMs,
    );
    proc.on("message", (message) => {
      const line = probeLineSchema.safeParse(message);
      if (!line.success)
        return stop({ how: "failed", reason: "its probe gave an answer that does not parse" });
      lines.push(line.data);
      clearTimeout(silence);
      silence = setTimeout(hung, limit.silenceMs);
    });
    const yieldNow = () => stop({ how: "slow", reason: "it made way for something else" });
    options.signal?.addEventListener("abort", yieldNow);
    if (options.signal?.aborted === true) yieldNow();
    const settle = (how: string) => {
      options.signal?.removeEventListener("abort", yieldNow);
      clearTimeout(silence);
      clearTimeout(whole);
      if (!lines.some((line) => line.type === "done"))
        end ??= { how: "failed", reason: `its probe ended early (${how})` };
      resolve(toProbe(name, lines, end));
    };
    proc.once("error", (error) => settle(error.message));
    proc.once("exit", (code, signal) =>
      settle(signal === null ? `exit code ${code ?? "unknown"}` : `signal ${signal}`),
    );
  });
}

/** How a child ended other than by saying it was done. */
interface ProbeEnd {
  readonly how: "failed" | "hung" | "slow";
  readonly reason: string;
}

function toProbe(name: BackendName, lines: readonly ProbeLine[], end: ProbeEnd | null): BackendProbe {
  const opened = lines.find((line) => line.type === "opened");
  // What was merely slow has shown what it can; all else that did not end well cannot be trusted.
  const ended = end === null || end.how === "slow" ? null : end.reason;
  const broken = lines.find((line) => line.type === "broken")?.reason ?? ended;
  const measured = lines.flatMap((line) =>
    line.type === "trains"
      ? [{ kind: line.kind, examplesPerSecond: line.examplesPerSecond, load: line.load }]
      : [],
  );
  const sound = opened !== undefined && broken === null;
  const works = sound && measured.length > 0;
  const cannot = lines.flatMap((line) => (line.type === "cannot" ? [line.reason] : []));
  const reasons = broken === null ? [...(end === null ? [] : [end.reason]), ...cannot] : [broken];
  return {
    name,
    sound,
    works,
    reason: reasons.length > 0 ? reasons.join("; ") : works ? null : "nothing here is trained on it",
    version: opened?.version ?? null,
    device: opened?.device ?? null,
    measured: works ? measured : [],
    late: end?.how === "hung" || end?.how === "slow",
  };
}
