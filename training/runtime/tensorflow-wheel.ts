/**
 * libtensorflow out of the pip wheel of TensorFlow: the current one, where the download that tfjs-node's own
 * install script knows is of 2022 or out of reach. Linux only: elsewhere the wheel holds no such library.
 * Nothing is installed into Python; it only fetches and unpacks.
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { formatMb, phase, refuseStep, type InstallContext } from "./install-context.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { download, findPip, isUnreachable, runPython, sizeOf, wheelsIn } from "./pip.ts";
import { isDiskFull, type StepEnd } from "./run-step.ts";

const unpackTimeoutMs = 600_000;
/** Pythons that TensorFlow has wheels for, newest first: the library inside is the same for all of them. */
const wheelPythons = ["3.13", "3.12", "3.11"];

/** Takes headers and the two libraries out of the wheel, each checked by its CRC. argv: wheel, target. */
const unpackScript = `
import os, sys, zipfile
wheel, target = sys.argv[1:]
headers = ("tensorflow/include/tensorflow/", "tensorflow/include/tsl/", "tensorflow/include/xla/")
libraries = ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name in libraries: to = os.path.join(target, "lib", os.path.basename(name))
        elif name.startswith(headers) and name.endswith(".h"): to = os.path.join(target, name[len("tensorflow/"):])
        elif name.endswith(".dist-info/METADATA"): to = os.path.join(target, "METADATA")
        else: continue
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with archive.open(name) as source, open(to, "wb") as out:
            while block := source.read(1 << 20): out.write(block)
`;
/** All of a wheel's `nvidia/`. argv: target, wheels. */
const unpackCudaScript = `
import sys, zipfile
for wheel in sys.argv[2:]:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(sys.argv[1], [name for name in archive.namelist() if name.startswith("nvidia/")])
`;
import { makeFolderSync } from "../../system/make-folder.ts";
const libraryLinks = [
  ["libtensorflow.so", "libtensorflow_cc.so.2"],
  ["libtensorflow.so.2.9.1", "libtensorflow_cc.so.2"],
  ["libtensorflow_framework.so", "libtensorflow_framework.so.2"],
] as const;

/** The wheel's own description, kept beside what was taken out of it: where it is, all is. */
const metadataFile = "METADATA";

/** TensorFlow's version at `deps`, or null where no wheel was unpacked there. */
export function wheelVersion(deps: string): string | null {
  try {
    return /^Version: *(\S+)/m.exec(readFileSync(join(deps, metadataFile), "utf8"))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** The fetched wheel, unpacked or not, in an unfinished runtime. */
export function wheelFolder({ staging }: InstallContext): string {
  return join(staging, "wheel");
}

/** Puts headers at `target/include` and libraries at `target/lib`, whole or not at all. */
export async function bringWheel(context: InstallContext, target: string): Promise<Outcome<null>> {
  if (existsSync(target)) return accept(null);
  if (process.platform !== "linux")
    return refuse("unavailable", `TensorFlow's pip wheel has no library for C on ${process.platform}`);
  const python = await findPip(context);
  if (!python.ok) return python;
  const fetched = await fetchWheel(context, python.value);
  if (!fetched.ok) return fetched;
  const draft = `${target}${partSuffix}`;
  const unpacked = await phase(context, "unpacking TensorFlow", () =>
    unpackWheel(context, python.value, draft),
  );
  if (!unpacked.ok) return unpacked;
  if (context.runtime.tensorflow === "gpu") {
    const cuda = await bringCuda(context, python.value, draft);
    if (!cuda.ok) return cuda;
  }
  renameSync(draft, target);
  return accept(null);
}

async function unpackWheel(context: InstallContext, python: string, draft: string) {
  const folder = wheelFolder(context);
  const wheel = join(folder, wheelsIn(folder)[0] ?? "");
  makeFolderSync(draft);
  const end = await runPython(context, python, ["-c", unpackScript, wheel, draft], unpackTimeoutMs);
  // A damaged file would be met again on every run.
  if (end.how === "failed" && !isDiskFull(end.out)) rmSync(folder, { recursive: true, force: true });
  if (end.how !== "done") return refuseStep(context, "unpacking TensorFlow's wheel", end, "run this again");
  const library = statSync(join(draft, "lib", "libtensorflow_cc.so.2"), { throwIfNoEntry: false });
  if (library === undefined) return refuse("unavailable", `${wheel} holds no libtensorflow_cc.so.2`);
  for (const [name, to] of libraryLinks) symlinkSync(to, join(draft, "lib", name));
  return accept({ value: null, size: library.size });
}

/** pip has no way to say "the library, whatever Python": a Python that is too new for TensorFlow asks for another's. */
function fetchWheel(context: InstallContext, python: string): Promise<Outcome<null>> {
  const folder = wheelFolder(context);
  if (existsSync(folder)) {
    context.say(`fetching TensorFlow's wheel: there already (${formatMb(sizeOf(folder))})`);
    return Promise.resolve(accept(null));
  }
  const names = context.runtime.tensorflow === "gpu" ? ["tensorflow"] : ["tensorflow-cpu", "tensorflow"];
  return phase(context, "fetching TensorFlow's wheel", async () => {
    let last: StepEnd = { how: "failed", out: "" };
    for (const name of names) {
      for (const of of [null, ...wheelPythons]) {
        last = await download(context, python, [name], of, folder);
        if (last.how === "done")
          return accept({ value: null, size: sizeOf(folder), note: wheelsIn(folder).join(", ") });
        // Another Python's wheel may exist; a network that is not there stays so.
        if (last.how !== "failed" || isDiskFull(last.out) || isUnreachable(last.out)) break;
      }
      if (last.how !== "failed" || isDiskFull(last.out) || isUnreachable(last.out)) break;
    }
    return refuseStep(
      context,
      `\`pip download ${names.join("` or `")}\``,
      last,
      "check the network and pip's index setting, then run this again",
    );
  });
}

/** The CUDA libraries that this TensorFlow names, where its library looks for them: beside `lib/`, in `nvidia/`. */
async function bringCuda(context: InstallContext, python: string, draft: string): Promise<Outcome<null>> {
  const wanted = cudaPackages(readFileSync(join(draft, metadataFile), "utf8"));
  if (wanted.length === 0) return accept(null);
  const folder = join(context.staging, "cuda");
  if (!existsSync(folder)) {
    const fetched = await phase(context, "fetching CUDA", async () => {
      const end = await download(context, python, wanted, null, folder);
      return end.how === "done"
        ? accept({ value: null, size: sizeOf(folder) })
        : refuseStep(
            context,
            "`pip download` of CUDA's libraries",
            end,
            "check the network, then run this again",
          );
    });
    if (!fetched.ok) return fetched;
  }
  return phase(context, "unpacking CUDA", async () => {
    const wheels = wheelsIn(folder).map((file) => join(folder, file));
    const end = await runPython(context, python, ["-c", unpackCudaScript, draft, ...wheels], unpackTimeoutMs);
    return end.how === "done"
      ? accept({ value: null })
      : refuseStep(context, "unpacking CUDA's wheels", end, "run this again");
  });
}

/** `nvidia-cublas-cu12==12.5.3.2` and the like, out of a wheel's METADATA. */
export function cudaPackages(metadata: string): readonly string[] {
  return metadata.split("\n").flatMap((line) => {
    const found =
      /^Requires-Dist:\s*(nvidia-[\w-]+)\s*\(?\s*([^;)]*?)\s*\)?\s*;.*extra\s*==\s*["']and-cuda["']/.exec(
        line,
      );
    return found?.[1] === undefined ? [] : [`${found[1]}${(found[2] ?? "").replaceAll(" ", "")}`];
  });
}
