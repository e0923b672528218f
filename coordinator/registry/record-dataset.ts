/**
 * Decides on dataset versions: the same bytes under a name are one version, and a sweep that demands the gate gets
 * through only with a version on record whose expectations hold.
 */
import type { CommandBody } from "../../protocol/command.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSpec } from "../../protocol/sweep.ts";
import { isLive } from "./live-version.ts";
import type { Decision } from "../state/input.ts";
import type { DatasetRecord, State } from "../state/state.ts";

export function* addDataset(state: State, by: string, body: CommandBody<"dataset-add">): Decision {
  const { dataset } = body;
  if (body.trial !== null && !state.trials.has(body.trial))
    return refuse("unknown", `there is no trial ${body.trial} that could have built ${dataset}`, ["trial"]);
  const known = versionWith(state, dataset, body.digest);
  if (known !== null) {
    // DSET-1, DSET-3: what is expected of the same bytes may have changed; the last word counts.
    const { version } = known;
    if (JSON.stringify(known.check) !== JSON.stringify(body.check))
      yield { kind: "DatasetChecked", dataset, version, by, check: body.check };
    return accept({ dataset, version, added: false });
  }
  const version = (state.datasets.get(dataset)?.versions.length ?? 0) + 1;
  yield { kind: "DatasetAdded", version, by, content: body };
  return accept({ dataset, version, added: true });
}

/** DSET-2: why a sweep that demands the gate may not run; null where it may. */
export function gateRefusal(state: State, { dataset, gate }: SweepSpec): Outcome<never> | null {
  if (!gate) return null;
  if (dataset === null)
    return refuse("invalid", "the sweep demands a gate and has no dataset that could pass it", ["gate"]);
  const version = versionWith(state, dataset.name, dataset.digest);
  if (version === null) {
    // One that was removed is on record no more, and is added as the next version.
    const message = `the sweep demands that ${dataset.name} pass its expectations, and this version of it is not on record; add it with \`trialmesh dataset add FILE\``;
    return refuse("conflict", message, ["gate"]);
  }
  const { failed, sentences } = version.check;
  if (failed === 0) return null;
  const what = `${dataset.name}@${version.version} fails ${failed} of its expectations, and the sweep demands that they hold`;
  return refuse("conflict", [what, ...sentences].join("\n  "), ["gate"]);
}

export function versionWith(
  state: State,
  dataset: string,
  digest: string,
): DatasetRecord["versions"][number] | null {
  const found = state.datasets.get(dataset)?.versions.find((each) => isLive(each) && each.digest === digest);
  return found ?? null;
}
