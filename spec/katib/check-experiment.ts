/** What Katib's webhook asks of an Experiment's counts and metrics, beyond each field's own shape. */
import { entriesOf } from "../yaml/entries-of.ts";
import { noteAt, refuseAt, type ImportReading } from "../import/import-reading.ts";
import type { KatibSpec } from "./katib-shape.ts";

export function checkExperiment(reading: ImportReading, spec: KatibSpec): void {
  const {
    maxFailedTrialCount: failed,
    maxTrialCount: trials,
    objective,
    parallelTrialCount: parallel,
  } = spec;
  const [repeated] = objective.additionalMetricNames.filter((name) => name === objective.objectiveMetricName);
  if (repeated !== undefined)
    refuseAt(
      reading,
      ["spec", "objective", "additionalMetricNames"],
      `${repeated} is objectiveMetricName already; Katib refuses it here too`,
    );
  if (trials === undefined) return;
  if (failed !== undefined && failed > trials)
    refuseAt(
      reading,
      ["spec", "maxFailedTrialCount"],
      `${failed} is above maxTrialCount ${trials}; Katib refuses it too`,
    );
  if (parallel <= trials) return;
  if (entriesOf(entriesOf(reading.yaml.value).get("spec")).has("parallelTrialCount"))
    refuseAt(
      reading,
      ["spec", "parallelTrialCount"],
      `${parallel} is above maxTrialCount ${trials}; Katib refuses it too`,
    );
  else
    noteAt(
      reading,
      ["spec", "maxTrialCount"],
      `Katib takes parallelTrialCount ${parallel} where it is not given, and refuses that beside maxTrialCount ${trials}`,
    );
}
