/** Every sweep of the mesh, newest first, asked for page by page. */
import type { MeshClient } from "../../protocol/client.ts";
import { sweepsShownMax } from "../../protocol/command.ts";
import { accept, type Outcome } from "../../protocol/refusal.ts";
import type { SweepSummary } from "../../protocol/view.ts";

/** One that is submitted meanwhile moves the others on: none is listed twice. */
export async function everySweep(client: MeshClient): Promise<Outcome<readonly SweepSummary[]>> {
  const found = new Map<string, SweepSummary>();
  for (let offset = 0, limit = sweepsShownMax; ;) {
    // A coordinator of before knows no offset, and is asked for none where one page is all.
    const page = await client.query("sweeps", offset === 0 ? { limit } : { limit, offset });
    if (!page.ok) return page;
    const { sweeps } = page.value;
    for (const sweep of sweeps) found.set(sweep.sweep, sweep);
    offset += sweeps.length;
    const isCut = page.cut?.some(({ list }) => list === "sweeps") === true;
    if (sweeps.length === 0 || (sweeps.length < limit && !isCut)) return accept([...found.values()]);
  }
}
