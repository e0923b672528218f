/** A local sweep's result for people and as JSON. */
import { plural } from "../../protocol/plural.ts";
import { formatMetric } from "../../text/figure.ts";
import { formatParams, paramsFormat } from "../../text/shown-parameter.ts";
import { shownName } from "../../text/printable.ts";
import { table } from "../../text/table.ts";
import type { CommandSweep } from "../../spec/sweep/command-sweep.ts";
import type { LocalResult } from "../../client/local/run-local.ts";
import type { LocalTrial } from "../../client/local/local-trial.ts";

const rowsMax = 20;
const namesMax = 20;

export function localText(sweep: CommandSweep, result: LocalResult): string {
  const { objectives } = sweep;
  const ranked = bestFirst(sweep, result.trials);
  const format = paramsFormat(result.trials);
  const rows = table(
    ranked.slice(0, rowsMax),
    [
      { head: "TRIAL", cell: ({ number }) => String(number), right: true },
      { head: "STATE", cell: ({ state }) => state },
      ...objectives.map(({ metric }, index) => ({
        head: metric,
        cell: (trial: LocalTrial) => formatMetric(trial.values()?.[index] ?? null),
        right: true,
      })),
      { head: "SECONDS", cell: ({ seconds }) => seconds.toFixed(1), right: true },
      { head: "PARAMETERS", cell: ({ params }) => format(params) },
      { head: "WHY", cell: ({ reason }) => reason ?? "" },
    ],
    "no trial was run",
  );
  const more = ranked.length > rowsMax ? `\n(${ranked.length - rowsMax} more; --json has them all)` : "";
  return [`${rows}${more}`, "", ...summaryLines(sweep, result)].join("\n");
}

function summaryLines(sweep: CommandSweep, { best, end, note, trials }: LocalResult): string[] {
  const [objective] = sweep.objectives;
  const lines: string[] = [];
  if (objective !== undefined && best !== null)
    lines.push(
      `best: trial ${best.number} with ${objective.metric} ${formatMetric(best.values()?.[0] ?? null)}: ${formatParams(best.params)}`,
    );
  else if (objective !== undefined)
    lines.push(
      trials.some((trial) => trial.values() !== null)
        ? `no trial has a result: none that reported a finite "${objective.metric}" came to a good end`
        : `no trial reported a finite "${objective.metric}"`,
    );
  const counts = (["completed", "stopped", "interrupted", "failed"] as const)
    .map((state) => [state, trials.filter((trial) => trial.state === state).length] as const)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`);
  lines.push(`${plural(trials.length, "trial")}: ${counts.join(", ")}${endText(sweep, end)}`);
  if (objective !== undefined) lines.push(...missingLines(objective.metric, trials));
  if (note !== null) lines.push(`search: ${note}`);
  return lines;
}

/** Trials that ran to their end and said nothing usable: most often a wrong name. */
function missingLines(metric: string, trials: readonly LocalTrial[]): string[] {
  const without = trials.filter(
    (trial) => trial.state !== "running" && trial.values() === null && trial.endedWell,
  );
  if (without.length === 0) return [];
  const others = [...new Set(without.flatMap((trial) => [...trial.reported.keys()]))].filter(
    (name) => name !== metric,
  );
  const unusable = without.filter((trial) => trial.reported.has(metric)).length;
  const said = [
    ...(unusable > 0 ? [`${unusable} said NaN or infinity`] : []),
    ...(others.length > 0 ? [`they reported: ${others.slice(0, namesMax).map(shownName).join(", ")}`] : []),
  ];
  const tail = said.length === 0 ? `; print a line such as ${metric}=0.5` : `; ${said.join("; ")}`;
  return [`${plural(without.length, "trial")} reported no finite "${metric}"${tail}`];
}

function endText(sweep: CommandSweep, end: LocalResult["end"]): string {
  switch (end) {
    case "all-trials":
      return "";
    case "space-used-up":
      return "; the space holds no more";
    case "target":
      return `; the target ${sweep.stopping.target} is reached`;
    case "failures":
      return `; ended, for more than ${sweep.failuresMax} trials failed`;
    case "interrupted":
      return "; ended by ctrl-c";
  }
}

function bestFirst(sweep: CommandSweep, trials: readonly LocalTrial[]): readonly LocalTrial[] {
  const sign = sweep.objectives[0]?.goal === "maximize" ? -1 : 1;
  const rank = (trial: LocalTrial) => {
    const value = trial.state === "failed" || trial.state === "interrupted" ? undefined : trial.values()?.[0];
    return value === undefined ? Infinity : sign * value;
  };
  return trials.toSorted((a, b) => {
    const [first, second] = [rank(a), rank(b)];
    return first === second ? a.number - b.number : first - second;
  });
}

export function localJson(sweep: CommandSweep, result: LocalResult): unknown {
  const trialJson = (trial: LocalTrial) => ({
    trial: trial.number,
    state: trial.state,
    params: trial.params,
    values: trial.values(),
    reported: Object.fromEntries(trial.reported),
    seconds: trial.seconds,
    reason: trial.reason,
  });
  return {
    name: sweep.name,
    objectives: sweep.objectives,
    method: sweep.search.method,
    end: result.end,
    note: result.note,
    best: result.best === null ? null : trialJson(result.best),
    trials: result.trials.map(trialJson),
  };
}
