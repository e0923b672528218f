/** Jobs that run programs, and what a runner tells of them. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeBundle } from "../../agent/program/bundle.ts";
import type { Job, Runner, RunnerEvent } from "../../agent/runner/runner.ts";
import type { CommandProgram, Program } from "../../protocol/program.ts";

export const fixtureCommand: CommandProgram = {
  kind: "command",
  bundle: "0".repeat(64),
  objectives: [{ metric: "score", keep: "last" }],
  fullLength: null,
  command: ["true"],
  program: null,
  environment: {},
  nested: [],
  literals: {},
  metricFormat: [],
};

/** The bundle of these files as a file in the folder; its digest and path. */
export function bundleAt(folder: string, files: Readonly<Record<string, string>>) {
  const bytes = encodeBundle({
    files: Object.entries(files).map(([path, text]) => ({
      path,
      content: Buffer.from(text),
      executable: path.endsWith(".sh"),
    })),
    note: null,
  });
  const digest = createHash("sha256").update(bytes).digest("hex");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, digest);
  writeFileSync(path, bytes);
  return { digest, path };
}

let fences = 0;

/** A job whose program is made of these files, in a work folder of its own. */
export function programJob(
  folder: string,
  files: Readonly<Record<string, string>>,
  program: Program,
  more: Partial<Job> = {},
): Job {
  const bundle = bundleAt(folder, files);
  const fence = ++fences;
  return {
    fence,
    trial: `s1-${fence}`,
    task: program.kind,
    model: program.kind,
    params: {},
    seed: 7,
    backend: "none",
    datasetPath: null,
    parts: { [bundle.digest]: bundle.path },
    program: { ...program, bundle: bundle.digest },
    fromCheckpointPath: null,
    fromResource: 0,
    targetResource: 1,
    checkpointDir: join(folder, `work-${fence}`),
    memoryMiB: 1024,
    ...more,
  };
}

export type EndEvent = Extract<RunnerEvent, { kind: "finished" | "stopped" | "failed" }>;

export interface Heard {
  readonly events: readonly RunnerEvent[];
  readonly end: EndEvent;
  /** Its log. */
  readonly lines: readonly string[];
}

/** Runs the job to its end; `meanwhile` is told every event as it comes. */
export async function hearJob(
  runner: Runner,
  job: Job,
  meanwhile: (event: RunnerEvent) => void = () => undefined,
): Promise<Heard> {
  mkdirSync(job.checkpointDir, { recursive: true });
  const events: RunnerEvent[] = [];
  const end = await new Promise<EndEvent>((resolve) => {
    runner.onEvent((event) => {
      if (event.fence !== job.fence) return;
      events.push(event);
      meanwhile(event);
      if (event.kind === "finished" || event.kind === "stopped" || event.kind === "failed") resolve(event);
    });
    runner.start(job);
  });
  const lines = events.flatMap((event) => (event.kind === "log" ? [event.line] : []));
  return { events, end, lines };
}
