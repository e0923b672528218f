/**
 * A command or module sweep as a plan like any other: its files packed, its words as a program. Packs on this machine and
 * sends nothing.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { artifactName } from "../../artifact/name-artifact.ts";
import { bytesPerKiB } from "../../protocol/byte-unit.ts";
import { encodeBundle } from "../../agent/program/bundle.ts";
import { packFolder, type PackOptions } from "../../agent/program/bundle-folder.ts";
import { programSchema, type Program } from "../../protocol/program.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { Requirement } from "../../protocol/requirement.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { isHomeFolder } from "../../mesh/home.ts";
import { findFolder } from "../local/find-folder.ts";
import { plural } from "../../protocol/plural.ts";
import { formatBytes } from "../../text/figure.ts";
import { isOwnLength, type CommandSweep } from "../../spec/sweep/command-sweep.ts";
import { anyPython } from "../../spec/sweep/needs-shape.ts";
import type { AnySweep } from "../../spec/file/read-any-file.ts";
import type { SweepPlan } from "../../spec/sweep/read-sweep-file.ts";
import { formatProblem } from "../../spec/yaml/problem.ts";
import { withoutOwnFiles } from "./own-file.ts";
import { programFileFault } from "./program-file.ts";

type CommandFile = Extract<AnySweep, { kind: "command" }>;

const bundleMaxMiB = 64;
const bundleFilesMax = 2_000;
/** A sweep travels as one message. */
const specMaxBytes = 512 * bytesPerKiB;
const moduleEndings = [".ts", ".mts", ".js", ".mjs"];
const versionCharacters = 16;

export async function programPlan(
  file: string,
  { origin, sweep, warnings }: CommandFile,
): Promise<Outcome<SweepPlan>> {
  const [objective, ...alsoObjectives] = sweep.objectives;
  if (objective === undefined)
    return refuse(
      "invalid",
      `${file}: field objective: is missing; a mesh compares trials by a metric that they report, as in {metric: accuracy}`,
    );
  const unsendable = unsendableName(sweep);
  if (unsendable !== null) return refuse("invalid", `${file}: field ${unsendable}`);
  if (sweep.module !== null) {
    const fault = moduleFault(file, sweep.module);
    if (fault !== null) return refuse("invalid", `${file}: field module: ${fault}`);
  }
  const folder = sweep.module === null ? findFolder(sweep, origin, file) : resolve(dirname(file));
  const told = { sentences: [] as string[], leftOut: [] as string[] };
  const packed = await packFolder(folder, packing(folder, sweep, told));
  if (!packed.ok) return refuse(packed.refusal.code, `${file}: ${packed.refusal.message}`);
  const words = [...sweep.command, ...Object.values(sweep.environment)];
  const travelling = withoutOwnFiles(packed.value, { file, folder, words, named: sweep.onMesh.files });
  const files = withoutOutput(travelling, sweep.onMesh.output, told);
  const fault = filesFault(sweep, files);
  if (fault !== null) return refuse("invalid", `${file}: ${fault}`);
  const bytes = encodeBundle({ files, note: null });
  const digest = artifactName(bytes);
  const program = parseOutside(programSchema, programOf(sweep, digest), file);
  if (!program.ok) return program;
  const task = program.value.kind;
  const { files: _, needs, output: _output, secrets: _secrets, serve: _serve, ...terms } = sweep.onMesh;
  const plan: SweepPlan = {
    fileName: sweep.name,
    dataset: sweep.dataset,
    objectiveGiven: true,
    warnings: [
      ...warnings.map((warning) => formatProblem(file, warning)),
      ...[...told.sentences, ...leftOutText(told.leftOut)].map((sentence) => `${file}: ${sentence}`),
    ],
    bundle: {
      bytes,
      about: `program: ${plural(files.length, "file")} of ${folder}, ${formatBytes(bytes.length)}`,
    },
    spec: (dataset) => ({
      name: sweep.name,
      task,
      dataset,
      gate: false,
      parts: [digest],
      program: program.value,
      objective: { metric: objective.metric, goal: objective.goal },
      alsoObjectives: alsoObjectives.map(({ goal, metric }) => ({ metric, goal })),
      search: sweep.search,
      stopping: sweep.stopping,
      models: [{ model: task, space: sweep.space, where: [...sweep.where] }],
      ...terms,
      needs: needsOf(sweep, needs),
      codeVersion: versionOf(program.value),
    }),
  };
  const specBytes = JSON.stringify(plan.spec(null)).length;
  return specBytes <= specMaxBytes
    ? accept(plan)
    : refuse(
        "invalid",
        `${file}: what it says takes ${formatBytes(specBytes)}, and may take ${formatBytes(specMaxBytes)}`,
      );
}

/** Messages and stores have no room for this one name, which means something else to objects. */
function unsendableName({ environment, space }: CommandSweep): string | null {
  const name = "__proto__";
  const field = Object.hasOwn(space, name)
    ? "parameters"
    : Object.hasOwn(environment, name)
      ? "environment"
      : null;
  return field === null
    ? null
    : `${field}.${name}: cannot be sent to a mesh under this name; rename it, or run it here with \`trialmesh sweep local\``;
}

interface Told {
  /** Sentences on what stays behind: links, what lies in its output folder. */
  readonly sentences: string[];
  /** Paths of what is left out. */
  readonly leftOut: string[];
}

/** What an earlier run left there is no part of the program, and no checkpoint of a trial. */
function withoutOutput<File extends { readonly path: string }>(
  files: readonly File[],
  output: string | null,
  told: Told,
): readonly File[] {
  if (output === null) return files;
  const kept = files.filter(({ path }) => !`${path}/`.startsWith(`${output.replace(/\/$/, "")}/`));
  if (kept.length < files.length)
    told.sentences.push(
      `${output}, its output folder, stays behind: what lies there is no part of the program`,
    );
  return kept;
}

const namesShownMax = 8;

/** Once for all: how each is called, wherever it lies. */
function leftOutText(paths: readonly string[]): readonly string[] {
  const names = [...new Set(paths.map((path) => basename(path)))];
  if (names.length === 0) return [];
  const shown = names.slice(0, namesShownMax);
  const rest = names.length - shown.length;
  const text = rest > 0 ? `${shown.join(", ")} and ${rest} more` : shown.join(", ");
  return [
    `${text} stay${names.length === 1 ? "s" : ""} behind: hidden, an environment, or made by tools; \`files\` names what is to travel all the same`,
  ];
}

function packing(folder: string, sweep: CommandSweep, told: Told): PackOptions {
  return {
    maxMiB: bundleMaxMiB,
    maxFiles: bundleFilesMax,
    only: sweep.onMesh.files,
    what: `the program's folder ${folder}`,
    advice: "name what the program needs, as in files: [train.py]",
    isSecret: isHomeFolder,
    onLink: (sentence) => told.sentences.push(sentence),
    onLeftOut: (path) => told.leftOut.push(path),
  };
}

/** A word of one of its commands that names a file which does not travel. */
function filesFault(sweep: CommandSweep, files: Parameters<typeof programFileFault>[1]): string | null {
  const own = sweep.module === null ? programFileFault(sweep, files) : null;
  if (own !== null) return `field command: ${own}`;
  const { serve } = sweep.onMesh;
  const serving = serve === null ? null : programFileFault({ ...sweep, command: serve }, files);
  return serving === null ? null : `field serve: ${serving}`;
}

function moduleFault(file: string, module: string): string | null {
  if (!moduleEndings.includes(extname(module)))
    return `${basename(module)} is no TypeScript or JavaScript file (${moduleEndings.join(", ")})`;
  const path = join(dirname(file), module);
  return existsSync(path) ? null : `there is no file ${path}`;
}

function programOf(sweep: CommandSweep, bundle: string): unknown {
  const common = {
    bundle,
    objectives: sweep.objectives.map(({ keep, metric }) => ({ metric, keep })),
    fullLength: isOwnLength(sweep.stopping) ? null : sweep.stopping.max,
  };
  if (sweep.module !== null)
    return { kind: "module", ...common, entry: sweep.module.replaceAll("\\", "/").replace(/^\.\//, "") };
  const { command, environment, metricFormat, nested, paths, program, spelling } = sweep;
  const { secrets } = sweep.onMesh;
  return {
    kind: "command",
    ...common,
    command,
    environment,
    literals: {},
    metricFormat,
    nested,
    program,
    ...(sweep.onMesh.output === null ? {} : { output: sweep.onMesh.output.replace(/\/$/, "") }),
    // Nobody is named yet: that is for the launch.
    ...(secrets.length === 0 ? {} : { secrets: Object.fromEntries(secrets.map((name) => [name, {}])) }),
    ...(sweep.onMesh.serve === null ? {} : { serve: sweep.onMesh.serve }),
    ...(Object.keys(paths).length > 0 ? { paths } : {}),
    ...(Object.keys(spelling).length > 0 ? { spelling } : {}),
  };
}

/** A command that starts with `python` needs an interpreter, unless the file says which. */
function needsOf({ command }: CommandSweep, needs: Requirement): Requirement {
  const first = command.find((word) => word !== "${env}");
  const isPython = command.includes("${interpreter}") || /^python3?$/.test(first ?? "");
  return isPython && needs.python === undefined ? { ...needs, python: anyPython } : needs;
}

/** Another program, or another way to call it, makes old results count no more. */
function versionOf(program: Program): SweepSpec["codeVersion"] {
  // How it answers afterwards changes no result.
  const trained = program.kind === "command" ? { ...program, serve: undefined } : program;
  const digest = createHash("sha256").update(JSON.stringify(trained)).digest("hex");
  return `program-${digest.slice(0, versionCharacters)}`;
}
