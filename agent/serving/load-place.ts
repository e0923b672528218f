/** The versions of a revision as places of a table of models: loaded from files of this machine and proved, but for those that answer already. */
import { readFile } from "node:fs/promises";
import { readManifest } from "../../data/manifest/read-manifest.ts";
import type { ServedVersion, Serving } from "../../protocol/deployment.ts";
import { isProgramTask } from "../../protocol/program.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { openServedModel } from "../../serving/model/open-served-model.ts";
import { proveServed } from "../../serving/model/prove-served.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import type { TablePlace } from "../../serving/server/model-table.ts";
import { servedLane } from "../../serving/server/served-lane.ts";
import { openOutput } from "./open-output.ts";

type Files = Readonly<Record<string, string>>;

/** All of them, or none is loaded. `known`: places that answer now, of which the same version is taken over. */
export async function loadPlaces(
  { versions }: Serving,
  files: Files,
  known: readonly TablePlace[],
  say: (line: string) => void,
): Promise<Outcome<readonly TablePlace[]>> {
  const places: TablePlace[] = [];
  const loaded: ServedModel[] = [];
  // A shadow answers nobody.
  for (const version of versions.filter(({ role }) => role !== "shadow")) {
    const reference = `${version.role} ${version.model}@${version.version}`;
    const weight = version.role === "incumbent" ? restOf(versions) : version.share;
    const same = known.find(({ lane }) => isSame(lane.described.model, version));
    if (same !== undefined) {
      places.push({ reference, weight, lane: same.lane });
      continue;
    }
    const opened = await openVersion(version, files, say);
    if (!opened.ok) {
      for (const model of loaded) model.dispose();
      return opened;
    }
    loaded.push(opened.value);
    places.push({ reference, weight, lane: servedLane(opened.value, { say }) });
  }
  return accept(places);
}

async function openVersion(
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

/** Of callers, what those beside the incumbent leave. */
function restOf(versions: Serving["versions"]): number {
  const taken = versions.reduce((sum, { role, share }) => (role === "canary" ? sum + share : sum), 0);
  return Math.max(0, 1 - taken);
}

function isSame(model: ServedModel, { artifact, model: name, version }: ServedVersion): boolean {
  return model.digest === artifact && model.model === name && model.version === version;
}
