/** A sweep's charts as one HTML page that needs no network. */
import { resolve } from "node:path";
import { sweepInsight } from "../../coordinator/insight/sweep-insight.ts";
import type { MeshClient } from "../../protocol/client.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { readPageParts } from "./chart-library.ts";
import { reportPage } from "./report-page.ts";
import { wholeSweep } from "../list/whole-sweep.ts";
import { writePage, type WrittenPage } from "./write-page.ts";

export async function writeSweepReport(
  client: MeshClient,
  sweep: string,
  file: string,
): Promise<Outcome<WrittenPage>> {
  const view = await wholeSweep(client, sweep);
  if (!view.ok) return view;
  // Without the spaces, the trials tell what was searched.
  const page = reportPage(view.value, sweepInsight(view.value, view.value.spaces), readPageParts());
  return writePage(resolve(file), page, "--html");
}
