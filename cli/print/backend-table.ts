/** What a machine can train as text: its backends, its speed at each kind of work, what its cores add. */
import type { MachineReport } from "../../mesh/part/measure-machine.ts";
import { formatMetric } from "../../text/figure.ts";
import { loadNote } from "../../text/load-note.ts";
import { table } from "../../text/table.ts";

export function backendText({ backends, rates, threads }: MachineReport): string {
  const trains = table(
    backends,
    [
      { head: "BACKEND", cell: (backend) => backend.name },
      { head: "TRAINS", cell: (backend) => (backend.works ? "yes" : "no") },
      { head: "VERSION", cell: (backend) => backend.version ?? "-" },
      {
        head: "BECAUSE",
        cell: ({ load, reason }) => [reason, loadNote(load)].filter((part) => part !== null).join("; "),
      },
    ],
    "no backend",
  );
  const speed = table(
    rates,
    [
      { head: "WORK", cell: (rate) => rate.kind },
      { head: "BACKEND", cell: (rate) => rate.backend },
      { head: "EXAMPLES/S", cell: (rate) => String(Math.round(rate.examplesPerSecond)), right: true },
      { head: "TOKENS/S", cell: (rate) => formatMetric(rate.tokensPerSecond), right: true },
    ],
    "nothing can be trained here",
  );
  return [trains, speed, ...(threads.length === 0 ? [] : [threadText(threads)])].join("\n\n");
}

function threadText(threads: MachineReport["threads"]): string {
  return table(
    threads,
    [
      { head: "WORK", cell: (one) => one.kind },
      { head: "BACKEND", cell: (one) => one.backend },
      { head: "ALL CORES", cell: (one) => String(Math.round(one.allCores)), right: true },
      { head: "ONE THREAD", cell: (one) => String(Math.round(one.oneThread)), right: true },
      {
        head: "BEST",
        cell: (one) =>
          one.oneThread * one.cores > one.allCores
            ? `${one.cores} trials of one thread`
            : `one trial on ${one.cores} cores`,
      },
    ],
    "",
  );
}
