/**
 * A version of a registered model, opened as somebody named it: which version that is, its bytes, and what the dataset it was
 * trained on says of rows. Where that dataset is gone the model still answers what its checkpoint alone can read, and it is said.
 */
import type { MeshClient } from "../../protocol/client.ts";
import { isProgramTask, type ProgramsAllowed } from "../../protocol/program.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { ResolutionView } from "../../protocol/view.ts";
import { openServedModel } from "../../serving/model/open-served-model.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import type { Surroundings } from "../../system/environment.ts";
import { settledBytes } from "../../system/settled-memory.ts";
import { fetchBytes } from "../artifact/fetch-bytes.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { fetchVersion } from "../dataset/build-on-agent.ts";
import { openOutput } from "../../agent/serving/open-output.ts";
import { readModelReference } from "./model-reference.ts";
import { mayWrite, type RegisteredModel } from "./registered-model.ts";

const usualAlias = "champion";
/** Where there is no such alias. */
const otherwise = ["best", "newest"] as const;

/**
 * `reference` as `model-reference.ts` reads it; a name alone stands for its champion, or else its best or newest version. `programs`: whose programs may
 * be run to answer with what they left; null where none is run.
 */
export async function openModel(
  connected: Connected,
  reference: string,
  { environment, say }: Surroundings,
  programs: ProgramsAllowed | null = null,
): Promise<Outcome<RegisteredModel | ServedModel>> {
  const { client } = connected;
  const found = await resolveModel(client, reference, say);
  if (!found.ok) return found;
  const { artifact, model, version } = found.value;
  const lineage = await client.query("lineage", { model, version });
  if (!lineage.ok) return lineage;
  const bytes = await fetchBytes(connected, artifact);
  if (!bytes.ok)
    return refuse(bytes.refusal.code, `${model}@${version} cannot be used: ${bytes.refusal.message}`);
  const name = { model, version, digest: artifact };
  if (isProgramTask(lineage.value.version.task)) {
    const { serving } = lineage.value;
    const opened = await openOutput(bytes.value, name, environment);
    if (opened.ok || opened.refusal.code === "unavailable" || serving === undefined) return opened;
    if (programs !== null) {
      const { openProgram } = await import("../serve/open-program.ts");
      return openProgram(
        connected,
        { lineage: lineage.value, bytes: bytes.value, programs },
        { environment, say },
      );
    }
    const command = serving.command.join(" ");
    return refuse(
      "conflict",
      `${model}@${version} is answered with by its own program alone (${command}); \`trialmesh serve ${model}@${version} --programs own\` runs it`,
    );
  }
  const record = lineage.value.version;
  const { dataset } = record;
  const held = dataset === null ? null : await fetchVersion(connected, dataset.digest, environment, say);
  if (held !== null && !held.ok)
    say(
      `${model}@${version}: the dataset ${dataset?.name ?? ""} that it was trained on is not to be had (${held.refusal.message}); rows are taken as they come`,
    );
  const data = held?.ok === true ? held.value : null;
  const before = record.measured === undefined && mayWrite(client, record) ? settledBytes() : null;
  const opened = await openServedModel({ bytes: bytes.value, manifest: data?.manifest ?? null, name });
  if (!opened.ok) return opened;
  const memoryBytes = before === null ? null : Math.max(0, settledBytes() - before);
  const about = { record, memoryBytes, datasetPath: data?.path ?? null };
  return accept(Object.assign(opened.value, about));
}

/** PREDICT-6: tells which version a name alone stands for. */
export async function resolveModel(
  client: MeshClient,
  reference: string,
  say: (line: string) => void,
): Promise<Outcome<ResolutionView>> {
  if (reference.includes("@")) {
    const wanted = readModelReference(reference, null);
    return wanted.ok ? client.query("resolve", { of: "version", ...wanted.value }) : wanted;
  }
  const alone = readModelReference(reference, usualAlias);
  if (!alone.ok) return alone;
  const { model } = alone.value;
  const view = await client.query("model", { model });
  if (!view.ok) return view;
  const hasAlias = view.value.aliases.some(({ alias }) => alias === usualAlias);
  const candidates = hasAlias ? [usualAlias] : otherwise;
  let found: Outcome<ResolutionView> = refuse("unknown", `model ${model} has no version`);
  for (const version of candidates) {
    found = await client.query("resolve", { of: "version", model, version });
    if (!found.ok) continue;
    say(`${model} stands for ${model}@${found.value.version}: ${found.value.why}`);
    break;
  }
  return found;
}
