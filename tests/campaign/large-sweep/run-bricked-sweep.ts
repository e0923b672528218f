/**
 * The version before runs such a sweep to its end, where it composes one event message of all that wait, which no server takes: it ends,
 * and at each later start again. This version then starts the same home. Needs the project's history.
 */
import assert from "node:assert/strict";
import { LiveMesh } from "../../support/live-mesh.ts";
import { previousVersion } from "../../support/previous-version.ts";
import { sizeOfJournal, type JournalSize } from "./journal-size.ts";
import { largeSweepText, type LargeSweepOptions } from "./run-large-sweep.ts";

export interface BrickedSweepReport extends Omit<JournalSize, "state"> {
  /** What the version before said when it was started once more. */
  readonly before: string;
  readonly counts: Readonly<Record<string, number>>;
}

export async function runBrickedSweep(
  options: Pick<LargeSweepOptions, "trials" | "slots" | "eta" | "say">,
): Promise<BrickedSweepReport> {
  const previous = previousVersion();
  assert.ok(previous.kind === "built", previous.kind === "missing" ? previous.why : "");
  const { main } = previous;
  const mesh = new LiveMesh();
  const { say, slots } = options;
  try {
    const up = await mesh.upOf(main, "--port", "0", "--slots", String(slots));
    const file = mesh.cli.write("large.yaml", largeSweepText("large", options));
    await mesh.okOf(main, LiveMesh.home, "sweep", "run", file, "--detach");
    assert.equal(await up.ended, 1, up.said);
    say(`the version before has ended: ${lastLines(up.said)}`);
    const again = mesh.startOf(main, LiveMesh.home, "up", "--name", LiveMesh.home, "--no-agent");
    assert.equal(await again.ended, 1, again.said);
    const before = lastLines(again.said);
    say(`and again: ${before}`);
    await mesh.up("--no-agent");
    const { summary } = await mesh.ended("s1");
    assert.equal(summary.state, "done");
    const { state, ...size } = await mesh.readJournal(sizeOfJournal);
    assert.equal(state.trials.size, options.trials);
    return { before, counts: summary.counts, ...size };
  } finally {
    await mesh.close();
  }
}

function lastLines(said: string): string {
  return said.trim().split("\n").slice(-3).join("; ");
}
