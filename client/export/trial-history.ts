/**
 * Everything that was said of some trials while they ran, as far as the mesh still has it, and whether that is all. Points are
 * kept so many an agent, newest first, so that of a large or an old sweep some are gone: which, is found by what is missing.
 */
import { patientClient, type AskingClient } from "../list/patient-client.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { HistoryView, TrialView } from "../../protocol/view.ts";

export type Point = HistoryView["points"][number];

/**
 * `whole`: there is a point of every epoch. `partial`: of some there is none, or there may have been more. `lost`: it has trained and
 * nothing of that is kept. `empty`: there is nothing that could be kept.
 */
export const historyStates = ["whole", "partial", "lost", "empty"] as const;
export type HistoryState = (typeof historyStates)[number];

/** So many points of an attempt are kept however fast they come; more may have been thinned out where they were made. */
const thinnedFrom = 1_000;

/** `points`: of the trial that did the work. */
export function historyState(
  { attempts, reusedFrom, resource }: Pick<TrialView, "attempts" | "resource" | "reusedFrom">,
  points: readonly Point[],
): HistoryState {
  // A trial that went on from another's checkpoint has trained no more than what came after it.
  const begins = reusedFrom === null ? (attempts[0]?.fromResource ?? 0) : 0;
  if (points.length === 0) return resource > begins ? "lost" : "empty";
  const heard = new Set(points.map((point) => point.resource));
  for (let epoch = begins + 1; epoch <= resource; epoch++) if (!heard.has(epoch)) return "partial";
  const counts = new Map<number, number>();
  for (const { fence } of points) counts.set(fence, (counts.get(fence) ?? 0) + 1);
  return Math.max(...counts.values()) >= thinnedFrom ? "partial" : "whole";
}

/** By trial, in the order of `trials`, which are all different: one is given out as soon as it is complete. */
export async function* historyOf(
  client: AskingClient,
  trials: readonly string[],
): AsyncGenerator<Outcome<readonly Point[]>> {
  const asking = patientClient(client);
  let after: HistoryView["next"] = null;
  let given = 0;
  let points: Point[] = [];
  do {
    const page: Outcome<HistoryView> = await asking.query("history", {
      trials: trials.slice(given),
      ...(after === null ? {} : { after }),
    });
    if (!page.ok) {
      yield page.refusal.message.startsWith("there is no query history") ? ofBefore() : page;
      return;
    }
    for (const point of page.value.points) {
      for (; given < trials.length && trials[given] !== point.trial; given++) {
        yield accept(points);
        points = [];
      }
      points.push(point);
    }
    after = page.value.next;
  } while (after !== null);
  for (; given < trials.length; given++) {
    yield accept(points);
    points = [];
  }
}

function ofBefore(): Outcome<never> {
  return refuse(
    "unavailable",
    "the coordinator is of a version that gives nobody a whole history; bring it up to this one, then export",
  );
}
