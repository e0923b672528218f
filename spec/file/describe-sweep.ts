/** What a sweep file comes to, in one line for people. */
import { levels } from "../../search/space/axis.ts";
import { stoppingText } from "../../protocol/stopping.ts";
import type { Space } from "../../protocol/space.ts";
import type { Objective } from "../../protocol/sweep.ts";
import { plural } from "../../protocol/plural.ts";
import type { AnySweep } from "./read-any-file.ts";
import { ownLength } from "../sweep/command-sweep.ts";

export function describeSweep(file: AnySweep): string {
  if (file.kind === "models") {
    const spec = file.plan.spec(null);
    const sweeps = file.plans.length > 1 ? `${file.plans.length} sweeps, one for each dataset, each of ` : "";
    const models = spec.models.map(({ model }) => model).join(", ");
    return `${sweeps}${plural(spec.search.trials, "trial")} at most by ${spec.search.method} over ${models}; ${objectiveText([spec.objective, ...spec.alsoObjectives])}; ${stoppingText(spec.stopping)}`;
  }
  const { objectives, search, space, stopping } = file.sweep;
  const what = { trialmesh: "a command", wandb: "a W&B sweep file", katib: "a Katib Experiment" }[
    file.origin
  ];
  const stop =
    stopping.policy === ownLength.policy
      ? stopping.target === undefined
        ? ""
        : `; ends at ${stopping.target}`
      : `; ${stoppingText(stopping).replaceAll("epoch", "report")}`;
  const trials = Math.min(search.trials, search.method === "grid" ? sizeOf(space) : Infinity);
  return `${what}: ${plural(trials, "trial")} at most by ${search.method} over ${plural(searched(space), "parameter")}; ${objectiveText(objectives)}${stop}`;
}

function objectiveText(objectives: readonly Objective[]): string {
  if (objectives.length === 0) return "no objective";
  return objectives.map(({ goal, metric }) => `${goal} ${metric}`).join(", ");
}

function searched(space: Space): number {
  return Object.values(space).filter((distribution) => levels(distribution) !== 1).length;
}

/** An upper bound: conditions and constraints leave fewer. */
function sizeOf(space: Space): number {
  return Object.values(space).reduce(
    (product, distribution) => product * (levels(distribution) ?? Infinity),
    1,
  );
}
