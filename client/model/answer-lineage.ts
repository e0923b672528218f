/**
 * From an answer of a server back to the rows it rests on: the version that gave it, what made that, and the sources of the dataset
 * it was trained on, each with its rows and digest. The id of an answer names its version; which request it answered only the
 * caller and the server's own log know.
 */
import type { Manifest } from "../../data/manifest/manifest.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { LineageView } from "../../protocol/view.ts";
import type { Surroundings } from "../../system/environment.ts";
import type { Connected } from "../connect/connect-mesh.ts";
import { fetchVersion } from "../dataset/build-on-agent.ts";
import type { ModelReference } from "./model-reference.ts";

export interface AnswerLineage extends LineageView {
  /** Null where it was trained on none, or the version of the dataset is not to be had any more; that is said. */
  readonly sources: Manifest["sources"] | null;
}

export async function answerLineage(
  connected: Connected,
  version: ModelReference,
  { environment, say }: Surroundings,
): Promise<Outcome<AnswerLineage>> {
  const lineage = await connected.client.query("lineage", version);
  if (!lineage.ok) return lineage;
  const { dataset } = lineage.value.version;
  if (dataset === null) return accept({ ...lineage.value, sources: null });
  const held = await fetchVersion(connected, dataset.digest, environment, say);
  if (!held.ok) say(`the rows of ${dataset.name} are not to be had: ${held.refusal.message}`);
  return accept({ ...lineage.value, sources: held.ok ? held.value.manifest.sources : null });
}
