/** Every sweep of the mesh, or every one with all of some tags, newest first, asked for page by page. */
import { patientClient, type AskingClient } from "./patient-client.ts";
import { sweepsShownMax } from "../../protocol/command.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSummary } from "../../protocol/view.ts";

export interface SweepsAsked {
  /** Those that have all of them. */
  readonly tags: readonly string[];
  /** Also those that were removed. */
  readonly removed: boolean;
}

/** A coordinator of before knows only `limit`, and is asked for no more where it need not be. */
export function sweepsBody(limit: number, { removed, tags }: SweepsAsked, offset = 0) {
  return {
    limit,
    ...(offset === 0 ? {} : { offset }),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
    ...(removed ? { removed } : {}),
  };
}

/** One that is submitted meanwhile moves the others on: none is listed twice. */
export async function everySweep(
  client: AskingClient,
  which: SweepsAsked,
): Promise<Outcome<readonly SweepSummary[]>> {
  const asking = patientClient(client);
  const found = new Map<string, SweepSummary>();
  for (let offset = 0, limit = sweepsShownMax; ;) {
    const page = await asking.query("sweeps", sweepsBody(limit, which, offset));
    if (!page.ok) return page;
    const { sweeps } = page.value;
    for (const sweep of sweeps) found.set(sweep.sweep, sweep);
    offset += sweeps.length;
    const isCut = page.cut?.some(({ list }) => list === "sweeps") === true;
    if (sweeps.length === 0 || (sweeps.length < limit && !isCut)) return accept([...found.values()]);
  }
}
