/**
 * Compiles tfjs-node's binding against the TensorFlow beside it. The binding asks for N-API and TensorFlow's C
 * interface only, so one call of the C++ compiler does: no node-gyp, make, or headers of this very Node.
 * Linux only, as the wheel.
 */
import { createRequire } from "node:module";
import { existsSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as z from "zod";
import { storedList } from "../../protocol/bound.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { interrupted, refuseStep, type InstallContext } from "./install-context.ts";
import { partSuffix } from "../../system/partial-file.ts";
import { runStep, type StepEnd } from "./run-step.ts";
import { makeFolderSync } from "../../system/make-folder.ts";

const askTimeoutMs = 20_000;
const compileTimeoutMs = 600_000;
const compilers = ["c++", "g++", "clang++"];
const sources = ["tfjs_backend.cc", "tfjs_binding.cc"];
const libraries = ["tensorflow_cc", "tensorflow_framework"];

const manifestSchema = z.object({ binary: z.object({ napi_versions: storedList(z.int()) }) });

/** The file that tfjs-node loads, in the package at `home`. */
export function bindingPath(home: string): string {
  const known = manifestSchema.parse(createRequire(join(home, "package.json"))("./package.json"));
  const here = Number(process.versions.napi ?? 0);
  const best = Math.max(...known.binary.napi_versions.filter((version) => version <= here));
  return join(home, "lib", `napi-v${best}`, "tfjs_binding.node");
}

/** The first C++ compiler there is: CXX, else the usual names. */
export async function findCompiler(context: InstallContext): Promise<Outcome<string>> {
  const named = context.environment["CXX"];
  for (const program of named === undefined || named === "" ? compilers : [named, ...compilers]) {
    const end = await compile(context, program, ["--version"], askTimeoutMs);
    if (end.how === "interrupted") return interrupted(context);
    if (end.how === "done") return accept(program);
  }
  return refuse(
    "unavailable",
    "no C++ compiler on the path to build TensorFlow's binding with; install g++ or clang++, or name one with CXX, and run this again",
  );
}

/**
 * `home`: the package tfjs-node with `deps/` in place. `headers`: the folder of `node_api.h`.
 * It is linked against empty libraries of the same names: the linker would read all of TensorFlow's, for ten
 * seconds, to learn only that they are to be loaded.
 */
export async function compileBinding(
  context: InstallContext,
  compiler: string,
  home: string,
  headers: string,
): Promise<Outcome<null>> {
  const target = bindingPath(home);
  if (existsSync(target)) return accept(null);
  const draft = `${dirname(target)}${partSuffix}`;
  rmSync(draft, { recursive: true, force: true });
  makeFolderSync(draft);
  const napi = /napi-v(\d+)/.exec(target)?.[1] ?? "";
  const steps = [
    ...libraries.map((name) => [
      ...["-shared", `-Wl,-soname,lib${name}.so.2`, "-x", "c++", "/dev/null"],
      ...["-o", join(draft, `lib${name}.so`)],
    ]),
    [
      ...["-std=c++17", "-O2", "-fPIC", "-shared", `-DNAPI_VERSION=${napi}`],
      ...["-I", join(home, "deps", "include"), "-I", headers],
      ...sources.map((file) => join(home, "binding", file)),
      ...["-L", draft, "-Wl,--no-as-needed", ...libraries.map((name) => `-l${name}`)],
      // Found from where the binding lies, so that the whole folder can be moved.
      "-Wl,-rpath,$ORIGIN/../../deps/lib",
      ...["-o", join(draft, basename(target))],
    ],
  ];
  for (const parameters of steps) {
    const end = await compile(context, compiler, parameters, compileTimeoutMs);
    if (end.how === "done") continue;
    rmSync(draft, { recursive: true, force: true });
    return refuseStep(
      context,
      `compiling TensorFlow's binding with ${compiler}`,
      end,
      "mend that and run this again",
    );
  }
  makeFolderSync(dirname(target));
  renameSync(join(draft, basename(target)), target);
  rmSync(draft, { recursive: true, force: true });
  return accept(null);
}

function compile(
  context: InstallContext,
  program: string,
  parameters: readonly string[],
  timeoutMs: number,
): Promise<StepEnd> {
  const { environment, signal, staging } = context;
  return runStep({ program, parameters, cwd: staging, env: environment, timeoutMs, signal });
}
