/**
 * Brings a native runtime in: packages, library, binding, proof, then one rename into place. Each phase leaves
 * something whole under its final name or nothing, so that a run cut short anywhere is gone on with by the next.
 * It writes in the folder of managed runtimes only; which commands there are is the command line's.
 */
import { existsSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { accept, refuse, type Outcome, type Refusal } from "../../protocol/refusal.ts";
import type { ManagedRuntime } from "./managed-runtime.ts";
import { claimLock } from "../../system/folder-lock.ts";
import { processIsAlive } from "../../system/process-alive.ts";
import { systemCode } from "../../system/system-error.ts";
import { diskFull, formatMb, interrupted, phase, type InstallContext } from "./install-context.ts";
import { compileBinding, findCompiler } from "./native-binding.ts";
import { partSuffix, sweepParts } from "../../system/partial-file.ts";
import { bringPackages, bytesOf } from "./npm-packages.ts";
import { readRuntimeRecord, recordFile, type RuntimeRecord } from "./runtime-record.ts";
import { downloadStandard, reachStandard } from "./standard-download.ts";
import { bringWheel, wheelFolder, wheelVersion } from "./tensorflow-wheel.ts";
import { makeFolderSync } from "../../system/make-folder.ts";

/** Room for the wheel, what is unpacked of it, and the packages. */
const neededBytes = { cpu: 1.8e9, gpu: 12e9, none: 0.5e9 } as const;

/** What the proof of a runtime found; `tensorflow` as the library names itself. */
export interface Proof {
  readonly works: boolean;
  readonly reason: string | null;
  readonly device: string | null;
}

export type InstallRequest = Omit<InstallContext, "staging"> & {
  /** Tries the runtime in a process of its own, with its packages at `folder`. */
  readonly prove: (runtime: ManagedRuntime, folder: string) => Promise<Proof>;
};

/** The record of what stands there afterwards, by this call or an earlier one. */
export async function installRuntime(request: InstallRequest): Promise<Outcome<RuntimeRecord>> {
  const { folder, runtime, signal, say } = request;
  const context: InstallContext = { ...request, staging: join(folder, `.staging-${runtime.name}`) };
  try {
    const lock = await claimLock(folder, runtime.name, signal, (holder) =>
      say(`another install of ${runtime.name} is at work (process ${holder}): waiting for it`),
    );
    if (lock === null) return interrupted(context);
    try {
      return await installLocked(context, request.prove);
    } finally {
      lock.release();
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    if (code === "ENOSPC" || code === "EDQUOT") return refuse("unavailable", diskFull(context));
    return refuse(
      "unavailable",
      `${folder} cannot be written (${code}); name another folder with TRIALMESH_RUNTIME`,
    );
  }
}

async function installLocked(context: InstallContext, prove: Prove): Promise<Outcome<RuntimeRecord>> {
  const { folder, runtime, staging } = context;
  const target = join(folder, runtime.name);
  const wanted = runtime.packages[0];
  const present = readRuntimeRecord(runtime, folder);
  if (present !== null && present.version === wanted?.version) return accept(present);
  if (present === null && existsSync(target))
    return refuse("conflict", `${target} is not of trialmesh's making; move it away and run this again`);
  makeFolderSync(staging);
  // Only one process works here, and it is this one.
  sweepParts(staging, () => false);
  const room = statfsSync(folder);
  const free = room.bavail * room.bsize;
  const needed = neededBytes[runtime.tensorflow ?? "none"];
  // What an earlier run left is room that need not be found again.
  if (free < needed && !existsSync(join(staging, "packages")))
    return refuse(
      "unavailable",
      `${runtime.name} needs ${formatMb(needed)} while it is made, and ${folder} has ${formatMb(free)} free; free some space, or name a folder on another disk with TRIALMESH_RUNTIME`,
    );
  const made = await (runtime.tensorflow === null ? bringPlain : bringTensorFlow)(context, prove);
  if (!made.ok) return made;
  const finished = join(staging, "packages");
  const record: RuntimeRecord = { ...made.value, bytes: await bytesOf(finished) };
  writeFileSync(join(finished, recordFile), JSON.stringify(record, null, 1));
  if (existsSync(target)) renameSync(target, join(folder, `.going-${runtime.name}${partSuffix}`));
  renameSync(finished, target);
  rmSync(staging, { recursive: true, force: true });
  sweepParts(folder, processIsAlive);
  return accept(record);
}

interface Origin {
  readonly source: string;
  readonly tensorflow: string | null;
}
type Unsized = Omit<RuntimeRecord, "bytes">;
type Prove = InstallRequest["prove"];

async function bringPlain(context: InstallContext, prove: Prove): Promise<Outcome<Unsized>> {
  const packages = await bringPackages(context);
  return packages.ok ? proveIn(context, prove, { source: "npm", tensorflow: null }) : packages;
}

/** The standard download where it works, else the wheel. One that does not pass the proof does not work. */
async function bringTensorFlow(context: InstallContext, prove: Prove): Promise<Outcome<Unsized>> {
  const { runtime, staging, signal } = context;
  const name = runtime.packages[0]?.name ?? "";
  const home = join(staging, "packages", "node_modules", ...name.split("/"));
  const deps = join(home, "deps");
  const unpacked = join(staging, "deps");
  const tried: string[] = [];
  const begun = existsSync(wheelFolder(context)) || existsSync(unpacked) || wheelVersion(deps) !== null;
  if (!begun) {
    const standard = await tryStandard(context, home, prove);
    if (signal.aborted) return interrupted(context);
    if (standard.ok) return standard;
    tried.push(`tfjs-node's own download: ${standard.refusal.message}`);
    context.say(`${tried.at(-1) ?? ""}; taking TensorFlow's pip wheel`);
  }
  const refused = (why: { readonly refusal: Refusal }): Outcome<Unsized> =>
    signal.aborted
      ? interrupted(context)
      : refuse(why.refusal.code, [...tried, `pip wheel: ${why.refusal.message}`].join("; "));
  // Asked before anything large is fetched.
  const compiler = await findCompiler(context);
  if (!compiler.ok) return refused(compiler);
  const whole = wheelVersion(deps) !== null;
  const [packages, library] = await Promise.all([
    bringPackages(context),
    whole ? accept(null) : bringWheel(context, unpacked),
  ]);
  if (!library.ok) return refused(library);
  if (!packages.ok) return packages;
  if (existsSync(unpacked)) {
    for (const folder of ["deps", "lib"]) rmSync(join(home, folder), { recursive: true, force: true });
    renameSync(unpacked, deps);
  }
  const headers = join(staging, "packages", "node_modules", "node-api-headers", "include");
  const compiled = await phase(context, "compiling the binding", async () => {
    const done = await compileBinding(context, compiler.value, home, headers);
    return done.ok ? accept({ value: null, note: compiler.value }) : done;
  });
  if (!compiled.ok) return refused(compiled);
  const proven = await proveIn(context, prove, { source: "pip wheel", tensorflow: wheelVersion(deps) });
  if (proven.ok || signal.aborted) return proven;
  // What was made would not work the next time either; the wheel is kept.
  rmSync(join(staging, "packages"), { recursive: true, force: true });
  return refused(proven);
}

async function tryStandard(context: InstallContext, home: string, prove: Prove): Promise<Outcome<Unsized>> {
  context.say("TensorFlow's library: asking for tfjs-node's own download");
  const reached = await reachStandard(context);
  if (!reached.ok) return reached;
  const packages = await bringPackages(context);
  if (!packages.ok) return packages;
  const standard = await phase(context, "tfjs-node's own download", async () => {
    const done = await downloadStandard(context, home);
    return done.ok ? accept({ value: done.value, note: `TensorFlow ${done.value}` }) : done;
  });
  if (!standard.ok) return standard;
  return proveIn(context, prove, { source: "tfjs-node's own download", tensorflow: standard.value });
}

async function proveIn(
  context: InstallContext,
  prove: Prove,
  { source, tensorflow }: Origin,
): Promise<Outcome<Unsized>> {
  const { runtime, staging } = context;
  return phase(context, "proving it", async () => {
    const proof = await prove(runtime, join(staging, "packages"));
    if (context.signal.aborted) return interrupted(context);
    if (!proof.works)
      return refuse("unavailable", `it does not work here: ${proof.reason ?? "no reason given"}`);
    const value = {
      name: runtime.name,
      backend: runtime.backend,
      version: runtime.packages[0]?.version ?? "",
      tensorflow,
      source,
      provenAt: new Date().toISOString(),
      device: proof.device,
    };
    return accept({ value, ...(proof.device === null ? {} : { note: proof.device }) });
  });
}
