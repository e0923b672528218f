/**
 * Brings a declared dataset into the mesh: built before, on an agent, or here, and put on record with its check. The same
 * for `dataset add` and for a sweep that names a dataset file.
 */
import { readFile } from "node:fs/promises";
import type { Declaration } from "../../data/declaration/declaration.ts";
import type { Expectation } from "../../data/expectation/expectation.ts";
import type { ExpectationReport } from "../../data/expectation/expectation-report.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { recipeOf, type LocalRecipe } from "../../data/recipe/recipe.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { formatBytes, shortDigest } from "../../text/figure.ts";
import { sendBlob } from "../../artifact/mesh-blob.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { buildOnAgent, fetchVersion, tooMuchToSend, type AgentVersion } from "./build-on-agent.ts";
import { buildHere } from "../../data/version/local-version.ts";
import { recordVersion, type Recordable } from "./record-version.ts";
import { reportLines } from "./say-report.ts";
import type { Environment } from "../../system/environment.ts";

export interface AddOptions {
  readonly declaration: Declaration;
  readonly expect: readonly Expectation[];
  /** Built beside the command, whatever agents there are. */
  readonly here: boolean;
  readonly environment: Environment;
  readonly say: (line: string) => void;
}

export interface AddedDataset {
  readonly dataset: string;
  readonly version: number;
  /** False where the mesh had this version. */
  readonly added: boolean;
  readonly digest: string;
  readonly bytes: number;
  readonly manifest: Manifest;
  /** The trial that built it; null where it was built here. */
  readonly trial: string | null;
  readonly report: ExpectationReport;
}

export async function addDataset(connected: Connected, options: AddOptions): Promise<Outcome<AddedDataset>> {
  const recipe = await recipeOf(options.declaration);
  if (!recipe.ok) return recipe;
  const version = await bring(connected, recipe.value, options);
  if (!version.ok) return version;
  const recorded = await recordVersion(connected.client, version.value, options.expect);
  if (!recorded.ok) return recorded;
  const { bytes, digest, manifest, trial } = version.value;
  const { added, report } = recorded.value;
  return accept({
    ...added,
    added: added.added || version.value.isNew === true,
    digest,
    bytes,
    manifest,
    trial,
    report,
  });
}

interface Brought extends Recordable {
  /** The mesh did not have it before it was built for this. */
  readonly isNew?: boolean;
}

async function bring(
  connected: Connected,
  recipe: LocalRecipe,
  options: AddOptions,
): Promise<Outcome<Brought>> {
  const { declaration, environment, expect, say } = options;
  const { name } = declaration;
  const known = await connected.client.query("dataset", { dataset: name });
  const before = known.ok ? known.value.versions.find((version) => version.recipe === recipe.key) : undefined;
  if (before !== undefined) {
    say(`dataset ${name}: built before as ${name}@${before.version}`);
    const version = await fetchVersion(connected, before.digest, environment);
    return version.ok ? accept({ ...version.value, recipe: recipe.key, trial: before.trial }) : version;
  }
  if (!options.here) {
    const tooMuch = tooMuchToSend(recipe);
    const built: Outcome<AgentVersion> | null =
      tooMuch === null ? await buildOnAgent(connected, declaration, expect, recipe, environment, say) : null;
    if (built?.ok === true) {
      // The mesh has recorded it already; that it is new was known before.
      const isNew = !known.ok || known.value.versions.every(({ digest }) => digest !== built.value.digest);
      return accept({ ...built.value, recipe: recipe.key, isNew });
    }
    if (built !== null && built.refusal.code !== "no-agent-fits") return built;
    say(`dataset ${name}: built here, for ${tooMuch ?? built?.refusal.message ?? "no agent can"}`);
  }
  const built = await buildHere(declaration, environment, say, recipe.key);
  if (!built.ok) return built;
  for (const line of reportLines(built.value.manifest, built.value.report)) say(line);
  const { bytes, digest, manifest, path } = built.value;
  const sent = await sendBlob(connected.bus, connected.home.mesh, await readFile(path));
  if (!sent.ok) return sent;
  say(
    `dataset ${name} ${shortDigest(digest)}: ${sent.value ? `${formatBytes(bytes)} sent to the mesh` : "in the mesh already"}`,
  );
  return accept({ path, digest, bytes, manifest, recipe: recipe.key, trial: null });
}
