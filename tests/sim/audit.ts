// After a run: the journal replayed by an outsider, then what the replay says held against what leaders hold.
import { priceOf } from "../../protocol/token.ts";
import { stateText } from "../support/state-text.ts";
import { retentionOf } from "../../coordinator/collect/default-retention.ts";
import { referredTo } from "../../coordinator/collect/reference.ts";
import type { EventOf } from "../../coordinator/format/event.ts";
import type { State } from "../../coordinator/state/state.ts";
import { Journal } from "../../coordinator/journal/journal.ts";
import { auditJournal, type JournalAudit } from "../support/journal-audit.ts";
import { mesh, type World } from "./world.ts";

/** Events later than `calmFrom`, in the journal's time, ms, are those of a mesh in which nothing goes wrong any more. */
export async function auditWorld(world: World, calmFrom: number): Promise<JournalAudit> {
  for (;;) {
    const audit = await auditOnce(world, calmFrom);
    // Reading takes a while of the mesh's time: what it journalled meanwhile, such as a grant that comes by itself, is in
    // the leader's state and not in the replay, so then it is read again. So is what has been decided and is on its way there.
    if (audit.sequence === world.journalEnd() && !world.isAhead()) return audit;
  }
}

async function auditOnce(world: World, calmFrom: number): Promise<JournalAudit> {
  // What one of the next version wrote is read as that one reads it.
  const journal = new Journal(world.hub.connect("auditor"), mesh, world.clock, world.keysOf("two"));
  const violations: string[] = [];
  let last = 0;
  const endedInCalm: EventOf<"AttemptEnded">[] = [];
  const audit = await world.clock.settle(
    auditJournal(journal, (event, _, at) => {
      if (at < last) violations.push(`CLOCK-1: ${event.kind} at ${at}, after ${last}`);
      last = at;
      if (event.kind !== "AttemptEnded" || at <= calmFrom) return;
      if (event.ending === "lost" || event.ending === "refused") endedInCalm.push(event);
    }),
  );
  const replicas = replicaFences(audit.state);
  for (const { ending, fence, note = "" } of endedInCalm)
    // What a machine that went in the storm still held is paid for longer than that: DEPLOY-15.
    if (!replicas.has(fence))
      violations.push(`LIVE-2: fence ${fence} ended as ${ending} in the calm: ${note}`);
  violations.push(...audit.violations);
  // The run has ended: a trial without an outcome is as wrong as one with two.
  for (const trial of audit.state.trials.keys()) {
    if (!audit.outcomes.has(trial)) violations.push(`OUTCOME-1: ${trial} has no outcome`);
  }
  for (const { attempts, trial } of audit.state.trials.values()) {
    for (const { endedAt, fence, meter, posted, rate } of attempts) {
      if (endedAt !== null && posted > priceOf(endedAt - meter.from, rate))
        violations.push(`METER-1: fence ${fence} of ${trial} posted ${posted} in ${endedAt - meter.from} ms`);
    }
  }
  for (const { checkpoint, trial } of audit.state.trials.values()) {
    if (
      checkpoint !== null &&
      !audit.state.gone.has(checkpoint.digest) &&
      !world.holdsArtifact(checkpoint.digest, audit.state.packed.get(checkpoint.digest))
    )
      violations.push(`AGENT-4: the checkpoint of ${trial} is not in the mesh's store, nor at two agents`);
  }
  violations.push(...leftovers(world, audit.state));
  for (const name of world.agents.keys()) {
    const left = world.unreceiptedOf(name);
    if (left > 0) violations.push(`OUTBOX-2: ${name} still keeps ${left} reports after a minute of quiet`);
  }
  const replayed = stateText(audit.state);
  for (const [name, { candidate, state }] of world.candidates) {
    if (candidate.role() !== "leader" || state === null || stateText(state) === replayed) continue;
    const difference = firstDifference(stateText(state), replayed);
    violations.push(`REPLAY-1: the state of ${name} is not what its journal adds up to: ${difference}`);
  }
  return { ...audit, violations };
}

function replicaFences(state: State): ReadonlySet<number> {
  const trials = [...state.trials.values()].filter(
    ({ sweep }) => state.sweeps.get(sweep)?.deployment !== undefined,
  );
  return new Set(trials.flatMap(({ attempts }) => attempts.map(({ fence }) => fence)));
}

/** GC-1, after a last look with no grace: all that nothing refers to is gone, and all that something refers to is there; and what has ended is archived. */
function leftovers(world: World, state: State): string[] {
  const referred = referredTo({ state, at: state.meta.at, retention: retentionOf(state) });
  const stored = world.storedArtifacts();
  return [
    ...[...stored]
      .filter((digest) => !referred.has(digest))
      .map((digest) => `GC-1: ${digest} is still stored`),
    ...[...referred]
      .filter((digest) => !world.holdsArtifact(digest, state.packed.get(digest)) && !state.gone.has(digest))
      .map((digest) => `GC-1: ${digest} is referred to and not stored`),
    ...[...world.keptAtAgents().keys()]
      .filter((digest) => !referred.has(digest))
      .map((digest) => `REPL-7: ${digest} is still kept, and nothing refers to it`),
    ...world
      .storedPacks()
      .filter((pack) => state.packs.get(pack)?.digests.some((digest) => referred.has(digest)) !== true)
      .map((pack) => `GC-1: pack ${pack} is still stored`),
    ...[...state.unarchived.values()].flatMap((waiting) =>
      [...waiting].map((trial) => `ARCHIVE-4: ${trial} has ended and is not archived`),
    ),
    ...[...state.openMarks].map((mark) => `GC-4: mark ${mark} has not come to its end`),
  ];
}

/** The texts around the first place where they differ. */
function firstDifference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const around = (text: string) => text.slice(Math.max(0, at - 80), at + 40);
  return `"${around(a)}", not "${around(b)}"`;
}
