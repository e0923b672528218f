/**
 * Builds a dataset version on an agent of the mesh: brings the recipe and its files there, runs a sweep of one trial, and
 * fetches what came of it. Built before by anybody, it is answered from the record for no tokens. The sweep says what the
 * mesh is to record once it is built, so nothing is lost where this program ends before that.
 */
import { stat } from "node:fs/promises";

import { bytesPerMiB } from "../../protocol/byte-unit.ts";
import { datasetBuildModel, datasetTask } from "../../training/catalog/dataset-build.ts";
import type { LocalRecipe } from "../../data/recipe/recipe.ts";
import type { Declaration } from "../../data/declaration/declaration.ts";
import { expectationBytes } from "../../data/expectation/expectation-artifact.ts";
import type { Expectation } from "../../data/expectation/expectation.ts";
import { readManifest } from "../../data/manifest/read-manifest.ts";
import { buildVersion, type Manifest } from "../../data/manifest/manifest.ts";
import { artifactName, nameFile } from "../../artifact/name-artifact.ts";
import { digestSchema } from "../../protocol/id.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { sweepSpecSchema, type SweepSpec } from "../../protocol/sweep.ts";
import { plural } from "../../protocol/plural.ts";
import { formatBytes } from "../../text/figure.ts";
import { followSweep } from "../follow/follow-sweep.ts";
import { sendBlob } from "../../artifact/mesh-blob.ts";
import { receivedLines } from "../../artifact/peer/received-line.ts";
import { fetchFile, sendFile } from "../../artifact/cache/mesh-file.ts";
import { PersonPeers } from "../artifact/person-peer.ts";
import { submitBuild } from "./submit-build.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { keepVersion, versionPath } from "../../data/version/local-version.ts";
import type { Environment } from "../../system/environment.ts";

export interface AgentVersion {
  readonly path: string;
  readonly digest: string;
  readonly bytes: number;
  readonly manifest: Manifest;
  /** The trial that built it, or that was answered by it. */
  readonly trial: string;
}

/** More than this is not brought to an agent: reading it here takes less than moving it, bytes. */
export const sentBytesMax = 256 * bytesPerMiB;
/** A lease names every file, and has to fit into a message. */
const sentFilesMax = 999;

/** Why a recipe had better be built beside its files; null where an agent can have it. */
export function tooMuchToSend({ bytes, paths }: LocalRecipe): string | null {
  if (bytes > sentBytesMax)
    return `its sources have ${formatBytes(bytes)}, more than is sent to an agent (${formatBytes(sentBytesMax)})`;
  return paths.size > sentFilesMax
    ? `it has ${paths.size} files, more than are sent to an agent (${sentFilesMax})`
    : null;
}

export async function buildOnAgent(
  { bus, client, home }: Connected,
  declaration: Declaration,
  expect: readonly Expectation[],
  recipe: LocalRecipe,
  environment: Environment,
  say: (line: string) => void,
): Promise<Outcome<AgentVersion>> {
  let sent = 0;
  for (const [digest, path] of recipe.paths) {
    const stored = await sendFile(bus, home.mesh, path, digest);
    if (!stored.ok) return stored;
    if (stored.value) sent++;
  }
  const bytes = Buffer.from(JSON.stringify(recipe.recipe));
  const stored = await sendBlob(bus, home.mesh, bytes);
  if (!stored.ok) return stored;
  say(
    `dataset ${declaration.name}: ${plural(recipe.paths.size, "file")}, ${formatBytes(recipe.bytes)}, ${sent === 0 ? "in the mesh already" : `${sent} of them sent to the mesh`}`,
  );
  const expected = expect.length === 0 ? null : expectationBytes(expect);
  if (expected !== null) {
    const kept = await sendBlob(bus, home.mesh, expected);
    if (!kept.ok) return kept;
  }
  const spec = buildSpec(declaration.name, artifactName(bytes), bytes.length, [...recipe.paths.keys()]);
  const records = {
    dataset: declaration.name,
    recipe: recipe.key,
    expectations: expected === null ? null : artifactName(expected),
  };
  const submitted = await submitBuild(client, { ...spec, records }, say);
  if (!submitted.ok) return submitted;
  const { sweep } = submitted.value;
  const followed = await followSweep(client, sweep, say);
  if (!followed.ok) return followed;
  const { end, view } = followed.value;
  const [trial] = view.trials;
  if (end === "waits-for-budget" || end === "waits-at-cap") {
    const message = `${sweep}, which builds dataset ${declaration.name}, waits for tokens; add the dataset again once there are some, or build it here with --here`;
    return refuse("budget-empty", message);
  }
  if (trial === undefined || trial.artifact === null)
    return refuse(
      "conflict",
      `dataset ${declaration.name} was not built: ${trial?.failure ?? `${sweep} was stopped`}`,
    );
  const version = await fetchVersion({ bus, client, home }, trial.artifact, environment, say);
  return version.ok ? accept({ ...version.value, trial: trial.trial }) : version;
}

/** The file of a version, from this machine's folder, from agents or from the mesh's store. */
export async function fetchVersion(
  connected: Connected,
  digest: string,
  environment: Environment,
  say: (line: string) => void,
): Promise<Outcome<Omit<AgentVersion, "trial">>> {
  const { bus, home } = connected;
  // It becomes the name of a file.
  if (!digestSchema.safeParse(digest).success)
    return refuse("invalid", "the mesh names the dataset version by something that is no digest");
  const path = versionPath(environment, digest);
  const here = await nameFile(path).catch(() => null);
  if (here?.digest !== digest && here?.plain !== digest) {
    const peers = new PersonPeers(connected, {
      onReceived: (artifact, received) => receivedLines(artifact, received).forEach(say),
    });
    try {
      const kept = await keepVersion(environment, digest, (file) =>
        fetchFile(bus, home.mesh, digest, file, [peers]),
      );
      if (!kept.ok) return kept;
    } finally {
      await peers.close();
    }
  }
  const manifest = await readManifest(path);
  if (!manifest.ok) return manifest;
  const { size } = await stat(path);
  return accept({ path, digest, bytes: size, manifest: manifest.value });
}

function buildSpec(name: string, recipe: string, bytes: number, parts: readonly string[]): SweepSpec {
  return sweepSpecSchema.parse({
    name,
    task: datasetTask,
    dataset: { name, digest: recipe, bytes, rows: { train: 0, validation: 0, test: 0 } },
    parts: parts.toSorted(),
    objective: { metric: "rows", goal: "maximize" },
    search: { method: "grid", trials: 1, seed: 1 },
    stopping: { policy: "none", max: 1 },
    models: [{ model: datasetBuildModel, space: {} }],
    needs: {},
    cap: null,
    trialSeed: 1,
    codeVersion: `dataset-build-${buildVersion}`,
    reuse: true,
    register: null,
  });
}
