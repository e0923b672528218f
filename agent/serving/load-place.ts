/**
 * The versions of a revision as places of a table of models: loaded from files of this machine and proved, but for those that answer already. Not here: how a
 * version on trial is compared (`open-trial.ts`).
 *
 * DEPLOY-18: a version on trial that takes or gives something else than the incumbent, or cannot be loaded, is asked nothing and said; the incumbent answers.
 */
import type { ServedVersion, Serving } from "../../protocol/deployment.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { Lane } from "../../serving/batch/lane.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";
import { standInFault } from "../../serving/model/same-signature.ts";
import type { TablePlace } from "../../serving/server/model-table.ts";
import { servedLane } from "../../serving/server/served-lane.ts";
import { loadVersion, type Files } from "./load-version.ts";

export interface Loaded {
  readonly places: readonly TablePlace[];
  readonly incumbent: Lane;
  readonly canary: { readonly lane: Lane; readonly share: number; readonly reference: string } | null;
  readonly shadow: Lane | null;
  /** Why a version takes no part in its trial here; null where all do. */
  readonly trouble: string | null;
}

/** `known`: places that answer now, of which the same version is taken over. Refused only where the incumbent cannot answer. */
export async function loadPlaces(
  { versions }: Serving,
  files: Files,
  known: readonly TablePlace[],
  say: (line: string) => void,
): Promise<Outcome<Loaded>> {
  const [first] = versions;
  const answering = versions.find(({ role }) => role === "incumbent") ?? first;
  if (answering === undefined) throw new Error("broken invariant: a revision without a version");
  const take = async (version: ServedVersion): Promise<Outcome<Lane>> => {
    // A shadow's lane is its trial's, and ends with that.
    const same = known.find(({ lane }) => isSame(lane.described.model, version));
    if (same !== undefined && version.role !== "shadow") return accept(same.lane);
    const opened = await loadVersion(version, files, say);
    return opened.ok ? accept(servedLane(opened.value, { say })) : opened;
  };
  const incumbent = await take(answering);
  if (!incumbent.ok) return incumbent;
  const places: TablePlace[] = [{ reference: placeName(answering), weight: 1, lane: incumbent.value }];
  let trouble: string | null = null;
  let canary: Loaded["canary"] = null;
  let shadow: Lane | null = null;
  for (const version of versions) {
    const { role, share } = version;
    if (role === "incumbent" || (role === "canary" ? canary : shadow) !== null) continue;
    const lane = await take(version);
    const fault = lane.ok ? standInFault(incumbent.value.described.model, lane.value.described.model) : null;
    if (!lane.ok || fault !== null) {
      // One that is another's place already goes with that.
      if (lane.ok && known.every((place) => place.lane !== lane.value)) await lane.value.retire();
      const why = lane.ok ? (fault ?? "") : lane.refusal.message;
      trouble ??= `${role} ${version.model}@${version.version} is asked nothing here: ${why}`;
      continue;
    }
    if (role === "shadow") {
      shadow = lane.value;
      continue;
    }
    const reference = placeName(version);
    canary = { lane: lane.value, share, reference };
    places.push({ reference, weight: 0, lane: lane.value });
  }
  return accept({ places, incumbent: incumbent.value, canary, shadow, trouble });
}

function placeName({ model, role, version }: ServedVersion): string {
  return `${role} ${model}@${version}`;
}

function isSame(model: ServedModel, { artifact, model: name, version }: ServedVersion): boolean {
  return model.digest === artifact && model.model === name && model.version === version;
}
