/**
 * From a sweep file to a complete `SweepSpec` with its dataset in the mesh: reads the file, loads
 * and encodes the dataset, and puts its bytes there unless they are there already.
 */
import { modelsOf } from "../../training/catalog/model-catalog.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { DatasetRef } from "../../protocol/dataset.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { plural } from "../../protocol/plural.ts";
import { formatBytes, shortDigest } from "../../text/figure.ts";
import { formatProblems } from "../../spec/yaml/problem.ts";
import type { SweepOverrides } from "../../spec/sweep/override.ts";
import type { SweepPlan } from "../../spec/sweep/read-sweep-file.ts";
import { addDataset } from "../dataset/add-dataset.ts";
import type { LocalVersion } from "../../data/version/local-version.ts";
import { resolveDataset, type ResolvedDataset } from "../dataset/resolve-dataset.ts";
import { fitObjective } from "./fit-objective.ts";
import { reportLines } from "../dataset/say-report.ts";
import type { WantedDataset } from "../../spec/sweep/read-dataset.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { sendBlob } from "../../artifact/mesh-blob.ts";
import { sendFile } from "../../artifact/cache/mesh-file.ts";
import { giveSecrets } from "../secret/give-secrets.ts";
import { planSweep } from "./plan-sweep.ts";
import type { Environment } from "../../system/environment.ts";

export interface PrepareOptions {
  /** As it is named in messages. */
  readonly file: string;
  readonly environment: Environment;
  readonly connected: Connected;
  /** One line before each long step. */
  readonly progress: (line: string) => void;
}

/** The one sweep of a file, read with these overrides. */
export async function prepareSweep(
  options: PrepareOptions & { readonly overrides: SweepOverrides },
): Promise<Outcome<SweepSpec>> {
  const { environment, file, overrides } = options;
  const read = await planSweep(file, overrides, environment);
  if (!read.ok) return read;
  if (!read.value.ok) return refuse("invalid", formatProblems(file, read.value.problems));
  const { plans } = read.value;
  const [plan, second] = plans;
  if (plan !== undefined && second === undefined) return preparePlan(plan, options);
  return refuse(
    "invalid",
    `${file}: names ${plans.length} datasets, one sweep for each; run it with \`trialmesh sweep run ${file}\``,
  );
}

/** The complete specification of one sweep of a file, with its data and programs in the mesh. */
export async function preparePlan(plan: SweepPlan, options: PrepareOptions): Promise<Outcome<SweepSpec>> {
  // Before anything is sent: what is missing is missing then already.
  const given = giveSecrets(plan.spec(null), options.connected);
  if (!given.ok)
    return refuse(given.refusal.code, `${options.file}: field secrets: ${given.refusal.message}`);
  const spec = await bringPlan(plan, options);
  return spec.ok ? giveSecrets(spec.value, options.connected) : spec;
}

async function bringPlan(plan: SweepPlan, options: PrepareOptions): Promise<Outcome<SweepSpec>> {
  const { connected, file, progress } = options;
  for (const warning of plan.warnings ?? []) progress(warning);
  if (plan.bundle !== undefined) {
    const { about, bytes } = plan.bundle;
    const sent = await sendBlob(connected.bus, connected.home.mesh, bytes);
    if (!sent.ok) return sent;
    progress(`${about}; ${sent.value ? "sent to the mesh" : "in the mesh already"}`);
  }
  if (plan.dataset === null) return accept(plan.spec(null));
  const resolved = await bringDataset(plan.dataset, options);
  if (!resolved.ok) return resolved;
  const { kind, local, ref } = resolved.value;
  const wrong = unfit(plan.spec(ref), kind) ?? emptySplit(ref);
  if (wrong !== null) return refuse("invalid", `${file}: field dataset: ${wrong}`);
  const spec = fitObjective(plan.spec(ref), plan.objectiveGiven, resolved.value);
  if (!spec.ok) return refuse("invalid", `${file}: ${spec.refusal.message}`);
  if (local === null) return spec;
  const stored = await storeVersion(ref, local, connected, progress);
  return stored.ok ? spec : stored;
}

/** What is given by a file of its own is put on record in the mesh; what stands in the sweep file is not. */
async function bringDataset(
  wanted: WantedDataset,
  { connected, environment, progress }: PrepareOptions,
): Promise<Outcome<ResolvedDataset>> {
  const { client } = connected;
  if (wanted.kind !== "file") return resolveDataset(client, wanted, environment, progress);
  const { declaration, expect } = wanted;
  const added = await addDataset(connected, { declaration, expect, here: false, environment, say: progress });
  if (!added.ok) return added;
  const { bytes, dataset: name, digest, kind, labels, rows, version } = added.value;
  const ref = { name, digest, bytes, rows };
  return accept({ ref, kind, labels, local: null, version });
}

/** What the task cannot learn from, said at launch and not trial by trial. */
function unfit({ task }: SweepSpec, kind: ResolvedDataset["kind"]): string | null {
  const wanted = modelsOf(task).find(({ data }) => data !== "none")?.data;
  if (wanted === undefined || wanted === kind) return null;
  return wanted === "text"
    ? `it is a table, and task ${task} learns from texts with labels; task tabular learns from tables`
    : `it holds texts with labels, and task ${task} learns from tables; task text-classification learns from texts`;
}

/** Without these rows nothing can be trained, or nothing judged. */
function emptySplit({ name, rows }: DatasetRef): string | null {
  const empty = (["train", "validation"] as const).find((split) => rows[split] === 0);
  if (empty === undefined) return null;
  return `the ${empty} split of ${name} is empty (texts that differ only in case, spaces or digits count as one); give more rows, or a dev file`;
}

async function storeVersion(
  { digest, name, rows }: DatasetRef,
  { bytes, manifest, path, report }: LocalVersion,
  { bus, home }: Connected,
  progress: (line: string) => void,
): Promise<Outcome<null>> {
  for (const line of reportLines(manifest, report)) progress(line);
  const labels = manifest.labels === null ? "" : `, ${plural(manifest.labels.length, "label")}`;
  const what = `dataset ${name} ${shortDigest(digest)}: ${rows.train} train, ${rows.validation} validation, ${rows.test} test rows${labels}`;
  const sent = await sendFile(bus, home.mesh, path, digest);
  if (!sent.ok) return sent;
  progress(`${what}; ${sent.value ? `${formatBytes(bytes)} sent to the mesh` : "in the mesh already"}`);
  return accept(null);
}
