/**
 * Brings a declared dataset into the mesh: built before, on an agent, or here, and put on record with its check. The same
 * for `dataset add` and for a sweep that names a dataset file.
 */
import type { Declaration } from "../../data/declaration/declaration.ts";
import type { Expectation } from "../../data/expectation/expectation.ts";
import { recordedCheck } from "../../data/expectation/recorded-check.ts";
import type { ExpectationReport } from "../../data/expectation/expectation-report.ts";
import type { Manifest } from "../../data/manifest/manifest.ts";
import { recipeOf, type LocalRecipe } from "../../data/recipe/recipe.ts";
import type { DatasetVersion } from "../../protocol/dataset.ts";
import type { DatasetVersionView } from "../../protocol/dataset-view.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import { formatBytes, shortDigest } from "../../text/figure.ts";
import { sendFile } from "../../artifact/cache/mesh-file.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { buildOnAgent, fetchVersion, tooMuchToSend, type AgentVersion } from "./build-on-agent.ts";
import { buildHere, isHere } from "../../data/version/local-version.ts";
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

export interface AddedDataset extends Pick<
  DatasetVersion,
  "badRows" | "bytes" | "dataset" | "digest" | "kind" | "labels" | "rows" | "trial"
> {
  readonly version: number;
  /** False where the mesh had this version. */
  readonly added: boolean;
  /** Null where the mesh had it and nothing asked for its rows: then it was not brought here. */
  readonly manifest: Manifest | null;
  readonly report: ExpectationReport;
}

export async function addDataset(connected: Connected, options: AddOptions): Promise<Outcome<AddedDataset>> {
  const recipe = await recipeOf(options.declaration);
  if (!recipe.ok) return recipe;
  const known = await connected.client.query("dataset", { dataset: options.declaration.name });
  const versions = known.ok ? known.value.versions : [];
  const before = versions.find((version) => version.recipe === recipe.value.key);
  if (before === undefined)
    return recorded(connected, await build(connected, recipe.value, versions, options), options);
  options.say(`dataset ${before.dataset}: built before as ${before.dataset}@${before.version}`);
  if (options.expect.length === 0 && !(await isHere(before.digest, options.environment)))
    return fromRecord(connected, before);
  return recorded(connected, await fetchBuilt(connected, before, options), options);
}

async function recorded(
  { client }: Connected,
  version: Outcome<Brought>,
  { expect }: AddOptions,
): Promise<Outcome<AddedDataset>> {
  if (!version.ok) return version;
  const recorded = await recordVersion(client, version.value, expect);
  if (!recorded.ok) return recorded;
  const { bytes, digest, isNew, manifest, trial } = version.value;
  const { added, report } = recorded.value;
  const { bad, declaration, labels, rows } = manifest;
  return accept({
    ...added,
    added: added.added || isNew === true,
    ...{ bytes, digest, labels, manifest, report, rows, trial },
    badRows: bad.count,
    kind: declaration.form.kind,
  });
}

/** Nothing of it has changed and nothing is asked of its rows: what is on record is all there is to say. */
async function fromRecord(
  { client }: Connected,
  version: DatasetVersionView,
): Promise<Outcome<AddedDataset>> {
  const { at: _, by: __, version: ___, ...before } = version;
  const report: ExpectationReport = {
    format: "trialmesh-expectations",
    version: 1,
    name: before.dataset,
    digest: before.digest,
    passed: true,
    checks: [],
  };
  // What was expected of it before may have been more: the last word counts.
  const added = await client.command("dataset-add", { ...before, check: recordedCheck(report) });
  return added.ok ? accept({ ...before, ...added.value, manifest: null, report }) : added;
}

async function fetchBuilt(
  connected: Connected,
  before: DatasetVersionView,
  { environment, say }: AddOptions,
): Promise<Outcome<Brought>> {
  if (!(await isHere(before.digest, environment)))
    say(
      `dataset ${before.dataset}: ${formatBytes(before.bytes)} come from the mesh, to check what is expected of its rows`,
    );
  const version = await fetchVersion(connected, before.digest, environment, say);
  return version.ok ? accept({ ...version.value, recipe: before.recipe, trial: before.trial }) : version;
}

interface Brought extends Recordable {
  /** The mesh did not have it before it was built for this. */
  readonly isNew?: boolean;
}

async function build(
  connected: Connected,
  recipe: LocalRecipe,
  versions: readonly DatasetVersionView[],
  options: AddOptions,
): Promise<Outcome<Brought>> {
  const { declaration, environment, expect, say } = options;
  const { name } = declaration;
  if (!options.here) {
    const tooMuch = tooMuchToSend(recipe);
    const built: Outcome<AgentVersion> | null =
      tooMuch === null ? await buildOnAgent(connected, declaration, expect, recipe, environment, say) : null;
    if (built?.ok === true) {
      // The mesh has recorded it already; that it is new was known before.
      const isNew = versions.every(({ digest }) => digest !== built.value.digest);
      return accept({ ...built.value, recipe: recipe.key, isNew });
    }
    if (built !== null && built.refusal.code !== "no-agent-fits") return built;
    say(`dataset ${name}: built here, for ${tooMuch ?? built?.refusal.message ?? "no agent can"}`);
  }
  const built = await buildHere(declaration, environment, say, recipe.key);
  if (!built.ok) return built;
  for (const line of reportLines(built.value.manifest, built.value.report)) say(line);
  const { bytes, digest, manifest, path } = built.value;
  const sent = await sendFile(connected.bus, connected.home.mesh, path, digest);
  if (!sent.ok) return sent;
  say(
    `dataset ${name} ${shortDigest(digest)}: ${sent.value ? `${formatBytes(bytes)} sent to the mesh` : "in the mesh already"}`,
  );
  return accept({ path, digest, bytes, manifest, recipe: recipe.key, trial: null });
}
