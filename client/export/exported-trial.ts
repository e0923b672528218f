/**
 * The trials of a sweep with all that is kept of what they said, one after the other: what every format is written from. At no time
 * is more than a page of trials and the points of one trial in memory.
 */
import type { AskingClient } from "../list/patient-client.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepView, TrialView } from "../../protocol/view.ts";
import { trialPages } from "../list/trial-page.ts";
import { historyOf, historyState, type HistoryState, type Point } from "./trial-history.ts";

/** As many as one question for points may name. */
const pageTrials = 100;

/** What is said of a sweep at the head of each page of its trials. */
export type SweepHead = Omit<SweepView, "trials">;

export interface ExportedTrial {
  readonly head: SweepHead;
  readonly trial: TrialView;
  /** The trial that the points are of: itself, or the one whose result it was answered with. */
  readonly source: string;
  readonly points: readonly Point[];
  readonly history: HistoryState;
}

/** Which trials of a sweep are exported, by id; null for all. Asked once, first. */
export type Chosen = () => Promise<Outcome<ReadonlySet<string> | null>>;

/** By number. `seen` hears of each page's head, also where no trial of it is chosen. */
export async function* exportedTrials(
  client: AskingClient,
  sweep: string,
  chosen: Chosen,
  seen: (head: SweepHead) => void,
): AsyncGenerator<Outcome<ExportedTrial>> {
  const wanted = await chosen();
  if (!wanted.ok) {
    yield wanted;
    return;
  }
  for await (const page of trialPages(client, sweep, pageTrials)) {
    if (!page.ok) {
      yield page;
      return;
    }
    const { trials, ...head } = page.value;
    seen(head);
    const taken = trials.filter(({ trial }) => wanted.value === null || wanted.value.has(trial));
    yield* withHistory(client, head, taken);
  }
}

export async function* withHistory(
  client: AskingClient,
  head: SweepHead,
  trials: readonly TrialView[],
): AsyncGenerator<Outcome<ExportedTrial>> {
  for (const together of apart(trials)) {
    let at = 0;
    for await (const points of historyOf(client, together.map(sourceOf))) {
      if (!points.ok) {
        yield points;
        return;
      }
      const trial = together[at++];
      if (trial === undefined) throw new Error("broken invariant: more histories than trials");
      yield accept({
        head,
        trial,
        source: sourceOf(trial),
        points: points.value,
        history: historyState(trial, points.value),
      });
    }
  }
}

function sourceOf({ reusedFrom, trial }: TrialView): string {
  return reusedFrom ?? trial;
}

/** Runs of trials of which no two have their points from the same trial. */
function apart(trials: readonly TrialView[]): readonly (readonly TrialView[])[] {
  const runs: TrialView[][] = [];
  let sources = new Set<string>();
  for (const trial of trials) {
    const source = sourceOf(trial);
    const run = runs.at(-1);
    if (run === undefined || sources.has(source)) {
      runs.push([trial]);
      sources = new Set([source]);
    } else {
      run.push(trial);
      sources.add(source);
    }
  }
  return runs;
}
