/** Hears what a running script says to wandb, through the file of rows that its hook writes. What a fact means is the caller's. */
import { RowTail } from "./row-tail.ts";
import { readWandbRow } from "./wandb-row.ts";
import { WandbRuns, type WandbFact } from "./wandb-runs.ts";

export interface WandbEar {
  /** Reads to the end of what there is; afterwards nothing is heard. */
  settle(): Promise<void>;
}

export interface WandbEarOptions {
  /** A file that is not there yet. */
  readonly rows: string;
  /** What the trial is called, and so its first run unless the script says otherwise. */
  readonly trial: string;
  readonly onFact: (fact: WandbFact) => void;
}

/** Throws where the file of rows cannot be made. */
export function openWandbEar({ onFact, rows, trial }: WandbEarOptions): WandbEar {
  const runs = new WandbRuns(trial);
  let saidBad = false;
  const tell = (facts: readonly WandbFact[]) => facts.forEach(onFact);
  const tail = new RowTail({
    path: rows,
    onLine: (line) => {
      const row = readWandbRow(line);
      if (row !== null) return tell(runs.hear(row));
      if (!saidBad) onFact({ kind: "note", text: "wandb: something that was logged could not be read" });
      saidBad = true;
    },
    onQuiet: () => tell(runs.tell()),
    onLoss: (sentence) => onFact({ kind: "note", text: `wandb: ${sentence}` }),
  });
  return {
    settle: async () => {
      await tail.end();
      tell(runs.tell());
    },
  };
}
