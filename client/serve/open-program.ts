/**
 * MODEL-RUN-5. A version that its own program answers with, by the `serve` command of its sweep's file: the program's files and what it left are put
 * where they were when it trained, and the command is run under the rules of training programs, where whoever serves allows it.
 */
import { totalmem } from "node:os";
import { join } from "node:path";
import { decodeBundle } from "../../agent/program/bundle.ts";
import { unpackBundle } from "../../agent/program/bundle-folder.ts";
import { expandCommand, expandEnvironment } from "../../agent/program/expand-command.ts";
import { activation, findInterpreter } from "../../agent/program/interpreter.ts";
import { baseEnvironment } from "../../agent/program/program-environment.ts";
import { makeModelFolder } from "../../agent/serving/model-folder.ts";
import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { portMacro } from "../../protocol/command-macro.ts";
import { isInsidePath } from "../../protocol/inside-path.ts";
import { allowsProgram, type ProgramsAllowed } from "../../protocol/program.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { LineageView } from "../../protocol/view.ts";
import type { ServedModel, VersionName } from "../../serving/model/served-model.ts";
import type { Surroundings } from "../../system/environment.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { fetchBytes } from "../artifact/fetch-bytes.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { Forwarder } from "./pass-to-program.ts";
import { ProgramProcess } from "./program-process.ts";

type Served = NonNullable<LineageView["serving"]>;

/** Requests that its program has at once. */
const requestsAtOnce = 16;
/** Of the machine's memory, what a program may hold. */
const memoryShare = 0.5;

/** `bytes`: of the version's artifact. */
export async function openProgram(
  connected: Connected,
  {
    lineage,
    bytes,
    programs,
  }: { readonly lineage: LineageView; readonly bytes: Uint8Array; readonly programs: ProgramsAllowed },
  surroundings: Surroundings,
): Promise<Outcome<ServedModel>> {
  const { model, serving, version } = lineage;
  const what = `${model}@${version.version}`;
  if (serving === undefined) throw new Error(`broken invariant: ${what} has no program that serves it`);
  if (!allowsProgram(programs, version.requester))
    return refuse(
      "forbidden",
      `${what} is answered with by its own program (${serving.command.join(" ")}), which runs as you do: --programs own allows those of the mesh's owner, --programs any those of anyone`,
    );
  const fetched = await fetchBytes(connected, serving.bundle);
  if (!fetched.ok)
    return refuse(fetched.refusal.code, `the program of ${what} cannot be had: ${fetched.refusal.message}`);
  // A server that ends does not wait for its programs: they are ended behind it.
  const { path: folder, remove } = makeModelFolder();
  try {
    const placed = await placeFiles(folder, fetched.value, bytes, serving);
    if (!placed.ok) {
      remove();
      return refuse(placed.refusal.code, `${what}: ${placed.refusal.message}`);
    }
    const program = new ProgramProcess({
      ...{ folder, what, say: surroundings.say },
      memoryMaxMiB: Math.floor((totalmem() * memoryShare) / bytesPerMiB),
      startAt: (port) => startOf(serving, lineage, folder, port, surroundings.environment),
    });
    const started = await program.start();
    if (!started.ok) {
      remove();
      return started;
    }
    const name = { model, version: version.version, digest: version.artifact };
    return accept(programModel(name, what, program, remove));
  } catch (error) {
    remove();
    return refuseDisk(error, "write", folder);
  }
}

/** The program's own folder, and in it what it left, at the place where it left it. */
async function placeFiles(
  folder: string,
  program: Uint8Array,
  output: Uint8Array,
  { output: place }: Served,
): Promise<Outcome<null>> {
  if (!isInsidePath(place)) return refuse("invalid", "its output folder is none within the program's own");
  const files = decodeBundle(program);
  if (!files.ok) return files;
  const left = decodeBundle(output);
  if (!left.ok) return left;
  await unpackBundle(files.value, folder);
  await unpackBundle(left.value, join(folder, place));
  return accept(null);
}

function startOf(
  { command, environment: own, output, program }: Served,
  { model, version }: LineageView,
  folder: string,
  port: number,
  given: Surroundings["environment"],
) {
  const interpreter = findInterpreter(given);
  const base = baseEnvironment(given);
  const expandable = {
    command: command.map((word) => word.replaceAll(portMacro, String(port))),
    program,
    nested: [],
    environment: own,
  };
  const environment = {
    ...base,
    ...activation(interpreter, base),
    ...expandEnvironment(expandable, version.params, version.trial),
    ...{ PORT: String(port), TRIALMESH_MODEL: model, TRIALMESH_VERSION: String(version.version) },
    ...{ TRIALMESH_MODEL_DIR: join(folder, output), PYTHONUNBUFFERED: "1", PYTHONDONTWRITEBYTECODE: "1" },
  };
  const words = expandCommand(expandable, version.params, {
    ...{ trial: version.trial, environment, interpreter, platform: process.platform },
    // A command that serves gets its parameters by words alone.
    writeFile: () => "",
  });
  return words.ok ? accept({ words: words.value, environment }) : words;
}

function programModel(
  { digest, model, version }: VersionName,
  what: string,
  program: ProgramProcess,
  remove: () => void,
): ServedModel {
  const forwarder = new Forwarder(what);
  return {
    ...{ model, version, digest, task: "command", algorithm: "program" },
    signature: { inputs: [], labels: null, target: "value", tensors: { inputs: [], outputs: [] } },
    answer: () =>
      refuse("invalid", `${what} is answered with by its own program, which takes no rows from here`),
    answerTexts: null,
    wholeWidth: requestsAtOnce,
    program: {
      forward: (request) => {
        const { url } = program;
        return url === null
          ? Promise.resolve(refuse("unavailable", `the program of ${what} is being started again`))
          : forwarder.forward(url, request);
      },
    },
    dispose: () => {
      forwarder.close();
      void program.close().finally(remove);
    },
  };
}
