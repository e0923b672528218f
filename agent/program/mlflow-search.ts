/** Which of a trial's runs MLflow's search finds, in which order, page by page. */
import type * as z from "zod";
import { readFilter, readOrder } from "./mlflow-filter.ts";
import type { MlflowRun } from "./mlflow-run.ts";
import { ok, page, refusedFor, type MlflowAnswer, type searchBody } from "./mlflow-wire.ts";

const usualRuns = 1_000;

/** The newest first, unless another order is asked for. */
export function searchRuns(
  runs: Iterable<MlflowRun>,
  given: z.infer<typeof searchBody>,
  experimentId: string,
): MlflowAnswer {
  const filter = readFilter(given.filter);
  if (!filter.ok) return refusedFor(filter.refusal);
  const order = readOrder([...given.order_by, "start_time DESC", "run_id ASC"]);
  if (!order.ok) return refusedFor(order.refusal);
  const isHere = given.experiment_ids === undefined || given.experiment_ids.includes(experimentId);
  const isShown = ({ isDeleted }: MlflowRun) =>
    given.run_view_type === "ALL" || isDeleted === (given.run_view_type === "DELETED_ONLY");
  const found = (isHere ? [...runs] : [])
    .filter(isShown)
    .map((run) => ({ run, as: run.searchable() }))
    .filter(({ as }) => filter.value(as))
    .toSorted((a, b) => order.value(a.as, b.as));
  const { items, next } = page(found, given, usualRuns);
  return ok({ runs: items.map(({ run }) => run.answer()), ...next });
}
