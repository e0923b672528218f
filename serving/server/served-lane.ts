/** The lane of a loaded version in a process that serves: on its clock, in its turns, its faults said. */
import { Lane } from "../batch/lane.ts";
import { laneLimits, type LaneLimits } from "../batch/lane-limit.ts";
import type { ServedModel } from "../model/served-model.ts";
import { describeModel } from "../protocol/described-model.ts";

export function servedLane(
  model: ServedModel,
  say: (line: string) => void,
  limits: LaneLimits = laneLimits,
): Lane {
  return new Lane(describeModel(model), {
    limits,
    now: () => performance.now(),
    defer: (run) => void setImmediate(run),
    onFault: (fault) =>
      say(`${model.model}@${model.version}: ${fault instanceof Error ? fault.message : "it failed"}`),
  });
}
