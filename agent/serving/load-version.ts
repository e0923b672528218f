/** Loads a version that a replica is to answer with, from files of this machine, and has it answer an example. */
import { readFile } from "node:fs/promises";
import { readManifest } from "../../data/manifest/read-manifest.ts";
import type { ServedVersion } from "../../protocol/deployment.ts";
import { isProgramTask } from "../../protocol/program.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { openServedModel } from "../../serving/model/open-served-model.ts";
import { proveServed } from "../../serving/model/prove-served.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { openOutput } from "./open-output.ts";

/** Paths by digest. */
export type Files = Readonly<Record<string, string>>;

export async function loadVersion(
  { artifact, dataset, model, task, version }: ServedVersion,
  files: Files,
  say: (line: string) => void,
): Promise<Outcome<ServedModel>> {
  const which = `${model}@${version}`;
  const path = files[artifact];
  if (path === undefined) return refuse("unavailable", `the bytes of ${which} are not on this machine`);
  const manifestPath = dataset === null ? undefined : files[dataset];
  const manifest = manifestPath === undefined ? null : await readManifest(manifestPath);
  if (manifest?.ok === false) return manifest;
  if (manifest === null && dataset !== null && !isProgramTask(task))
    say(`${which}: the dataset that it was trained on is not to be had; rows are taken as they come`);
  const bytes = await readFile(path);
  const name = { model, version, digest: artifact };
  const opened: Outcome<ServedModel> = isProgramTask(task)
    ? await openOutput(bytes, name, process.env)
    : await openServedModel({ bytes, manifest: manifest?.value ?? null, name });
  if (!opened.ok) return opened;
  const fault = await proveServed(opened.value);
  if (fault === null) return opened;
  opened.value.dispose();
  return refuse("conflict", `${which} cannot be served: ${fault}`);
}
