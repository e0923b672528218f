/** The lane of a loaded version in a process that serves: on its clock, in its turns, its faults said. */
import { Lane } from "../batch/lane.ts";
import type { LaneLimits } from "../batch/lane-limit.ts";
import type { ServedModel } from "../model/served-model.ts";
import type { ServingWatch } from "../profile/serving-watch.ts";
import { describeModel } from "../protocol/described-model.ts";

interface ServedLaneOptions {
  readonly limits?: LaneLimits;
  readonly say: (line: string) => void;
  readonly watch?: ServingWatch | undefined;
}

export function servedLane(model: ServedModel, { limits, say, watch }: ServedLaneOptions): Lane {
  return new Lane(describeModel(model), {
    ...(limits === undefined ? {} : { limits }),
    ...(watch === undefined ? {} : { watch }),
    now: () => performance.now(),
    defer: (run) => void setImmediate(run),
    onFault: (fault) =>
      say(`${model.model}@${model.version}: ${fault instanceof Error ? fault.message : "it failed"}`),
  });
}
