/**
 * What stands before a program's process: its files and its checkpoint in their folders, the words and the environment it
 * is started with. It starts nothing.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { readBundle, unpackBundle } from "./bundle-folder.ts";
import type { CheckpointFolder } from "./checkpoint-folder.ts";
import type { CommandJob } from "./command-job.ts";
import { spelledParams } from "../../protocol/spelling.ts";
import { openSecrets, type SecretHolder } from "./open-secrets.ts";
import { maskOf, type Mask } from "./secret-mask.ts";
import { makeFolder } from "../../system/make-folder.ts";
import { expandCommand, expandEnvironment } from "./expand-command.ts";
import { activation } from "./interpreter.ts";
import { LeaseSegment, readSegmentNote } from "./lease-segment.ts";
import { baseEnvironment, environmentOf } from "./program-environment.ts";
import type { ReportEndpoint } from "./report-endpoint.ts";
import { confinedEnvironment, type Confinement, type Sandbox } from "../sandbox/sandbox.ts";
import { environmentFolders } from "../sandbox/visible-machine.ts";
import { makeWandbPlace } from "./wandb-place.ts";

export interface PreparedProgram {
  /** The folder it runs in. */
  readonly home: string;
  /** Null where it begins, or begins anew. */
  readonly segment: LeaseSegment | null;
}

/** Its working folder, with its files. */
function homeOf({ checkpointDir }: CommandJob): string {
  return join(checkpointDir, "program");
}

/** Where a program keeps its checkpoint: in the folder that it declares as its output, or one beside its own. */
export function keptFolderOf(job: CommandJob): string {
  const { output } = job.program;
  return output === undefined ? join(job.checkpointDir, "checkpoint") : join(homeOf(job), output);
}

/** What wandb is given there, and writes. */
export function wandbFolderOf({ checkpointDir }: CommandJob): string {
  return join(checkpointDir, "wandb");
}

/** Where MLflow's client leaves what it stores. */
export function artifactFolderOf({ checkpointDir }: CommandJob): string {
  return join(checkpointDir, "mlflow");
}

function paramsFileOf({ checkpointDir }: CommandJob): string {
  return join(checkpointDir, "params.json");
}

export async function prepareProgram(
  job: CommandJob,
  folder: CheckpointFolder,
): Promise<Outcome<PreparedProgram>> {
  const bundlePath = job.parts[job.program.bundle];
  if (bundlePath === undefined) return refuse("invalid", "its program's files did not come with it");
  const bundle = await readBundle(bundlePath);
  if (!bundle.ok) return bundle;
  const home = homeOf(job);
  await unpackBundle(bundle.value, home);
  await folder.make();
  await writeFile(paramsFileOf(job), spelledParams(job.program.spelling ?? {}, job.params), { mode: 0o600 });
  if (job.fromCheckpointPath === null) return accept({ home, segment: null });
  const kept = await readBundle(job.fromCheckpointPath);
  if (!kept.ok) return kept;
  const note = readSegmentNote(kept.value.note);
  if (note === null) return refuse("invalid", "its checkpoint is not one of a program");
  await unpackBundle(kept.value, keptFolderOf(job));
  await folder.settle();
  // A program that keeps no files begins anew, and so does the count of its reports.
  const goesOn = kept.value.files.length > 0 || note.ended;
  return accept({ home, segment: goesOn ? new LeaseSegment(job.program, job.targetResource, note) : null });
}

export interface ProgramPlace {
  readonly job: CommandJob;
  readonly agentEnvironment: Readonly<Record<string, string | undefined>>;
  readonly slotEnvironment: Readonly<Record<string, string>>;
  readonly interpreter: string;
  /** Whom its secrets are sealed to; left out: nobody, and a program with secrets cannot run. */
  readonly secrets?: SecretHolder | null | undefined;
  /** Left out: it runs with all that this user may do. */
  readonly sandbox?: Sandbox | null | undefined;
}

export interface ProgramStart {
  readonly words: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What of it must be said to nobody. */
  readonly mask: Mask;
}

/** The program's place in the sandbox: its own folders one by one, for what is mounted cannot be put elsewhere or replaced by a link. */
export async function confinementOf(
  { interpreter, job, sandbox = null }: Pick<ProgramPlace, "interpreter" | "job" | "sandbox">,
  { port, server }: Pick<ReportEndpoint, "port" | "server">,
): Promise<Confinement | undefined> {
  if (sandbox === null) return undefined;
  const { checkpointDir } = job;
  const stored = artifactFolderOf(job);
  await makeFolder(stored, 0o700);
  return {
    sandbox,
    door: sandbox.network === "none" ? { port, server } : null,
    folders: {
      readable: [...environmentFolders(interpreter), checkpointDir],
      writable: [homeOf(job), keptFolderOf(job), wandbFolderOf(job), stored],
      temporary: join(checkpointDir, "temporary"),
    },
  };
}

/** Its words with the parameters in them, and its environment; files that the words name are written. */
export async function programStart(
  { agentEnvironment, interpreter, job, sandbox = null, secrets = null, slotEnvironment }: ProgramPlace,
  { mlflowUrl, reportUrl }: Pick<ReportEndpoint, "mlflowUrl" | "reportUrl">,
): Promise<Outcome<ProgramStart>> {
  const { program } = job;
  const opened = openSecrets(program, job.requester, secrets);
  if (!opened.ok) return opened;
  const base = baseEnvironment(agentEnvironment);
  const given = {
    ...base,
    ...activation(interpreter, base),
    ...slotEnvironment,
    ...expandEnvironment(program, job.params, job.trial),
    ...environmentOf({
      trial: job.trial,
      seed: job.seed,
      resource: program.fullLength === null ? null : job.targetResource,
      checkpointDir: keptFolderOf(job),
      paramsFile: paramsFileOf(job),
      reportUrl,
      mlflowUrl,
    }),
  };
  const wandb = {
    folder: wandbFolderOf(job),
    sweep: job.trial.replace(/-\d+$/, ""),
    trial: job.trial,
    metrics: program.objectives.map(({ metric }) => metric),
    environment: given,
  };
  const named = { ...given, ...makeWandbPlace(wandb, program, job.params) };
  const environment = sandbox === null ? named : confinedEnvironment(sandbox, named, agentEnvironment);
  const texts: { readonly path: string; readonly text: string }[] = [];
  const words = expandCommand(program, job.params, {
    trial: job.trial,
    environment,
    interpreter,
    platform: process.platform,
    writeFile: (text) => {
      const path = join(job.checkpointDir, `args-${texts.length + 1}.json`);
      texts.push({ path, text });
      return path;
    },
  });
  if (!words.ok) return words;
  for (const { path, text } of texts) await writeFile(path, text, { mode: 0o600 });
  return accept({
    words: words.value,
    // Not before: a macro would put one on a command line, which everybody here may read.
    environment: { ...environment, ...opened.value },
    mask: maskOf(Object.values(opened.value)),
  });
}
