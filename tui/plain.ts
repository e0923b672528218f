/**
 * Progress as plain lines, for logs, pipes and CI: a line when something changed and none otherwise.
 * Never starts Ink, moves no cursor, uses no colour.
 */
import type { MeshClient } from "../protocol/client.ts";
import { sleep, type Clock } from "../protocol/time/clock.ts";
import { systemClock } from "../protocol/time/system-clock.ts";
import type { AgentView, SweepSummary } from "../protocol/view.ts";
import { finishedOf } from "./screen/sweeps.ts";
import { printableLine } from "../text/printable.ts";
import { tokens, value } from "../text/format.ts";

export interface PlainOptions {
  readonly client: MeshClient;
  readonly stdout: { write(text: string): unknown };
  readonly signal: AbortSignal;
  /** Ends when this sweep has ended, and prints only its progress; without it, runs until the signal. */
  readonly until?: string;
  readonly clock?: Clock;
}

const pollMs = 1_000;
const sweepsMax = 100;

/** The awaited sweep as it ended; null where the signal came first or none was awaited. */
export async function runPlain(options: PlainOptions): Promise<SweepSummary | null> {
  const { client, stdout, signal } = options;
  const clock = options.clock ?? systemClock;
  const ended = aborted(signal);
  const said = new Map<string, string>();
  /** Prints what is new about a thing; the first look at something that is as usual is no news. */
  const tell = (about: string, text: string, usual = false): void => {
    const before = said.get(about);
    if (before === text) return;
    said.set(about, text);
    if (before !== undefined || !usual) stdout.write(`${printableLine(text)}\n`);
  };

  while (!signal.aborted) {
    const [mesh, sweeps] = await Promise.all([
      client.query("mesh", {}),
      client.query("sweeps", { limit: sweepsMax }),
    ]);
    if (signal.aborted) break;
    if (!mesh.ok || !sweeps.ok) {
      const refusal = !mesh.ok ? mesh.refusal : !sweeps.ok ? sweeps.refusal : null;
      tell("link", `the mesh does not answer just now: ${refusal?.message ?? ""}`);
    } else {
      tell("link", "the mesh answers again", true);
      for (const agent of mesh.value.agents) tell(`agent ${agent.agent}`, agentLine(agent));
      const shown = sweeps.value.sweeps.filter(
        (each) => options.until === undefined || each.sweep === options.until,
      );
      for (const each of shown.toSorted((a, b) => a.submittedAt - b.submittedAt)) {
        tell(`sweep ${each.sweep}`, sweepLine(each));
      }
      const awaited = shown.find((each) => each.sweep === options.until);
      if (awaited !== undefined && awaited.finishedAt !== null) return awaited;
    }
    await Promise.race([sleep(clock, pollMs), ended]);
  }
  return null;
}

export function agentLine(agent: AgentView): string {
  // A availability in a word: its reason counts minutes, and every minute would be a line.
  const { closed, owner, state } = agent;
  const reason =
    closed === null ? "" : ` (${owner === null || owner.stance === "open" ? closed : owner.stance})`;
  return `agent ${agent.agent}: ${state}${reason}, ${agent.slots} slots`;
}

/** Without what changes all the time and tells nothing, such as the age of the sweep. */
export function sweepLine(sweep: SweepSummary): string {
  const { counts, best } = sweep;
  const parts = [`${finishedOf(sweep)}/${sweep.total} trials`];
  if (counts.running > 0) parts.push(`${counts.running} running`);
  if (counts.stopped > 0) parts.push(`${counts.stopped} stopped early`);
  if (counts.failed > 0) parts.push(`${counts.failed} failed`);
  if (counts.reused > 0) parts.push(`${counts.reused} reused`);
  if (best !== null) parts.push(`best ${sweep.metric} ${value(best.value)} (${best.trial} ${best.model})`);
  parts.push(`${tokens(sweep.spent)} tokens`);
  if (sweep.state !== "running" && sweep.state !== "paused") parts.push(sweep.state);
  if (sweep.state === "paused" && sweep.waiting !== null) parts.push(sweep.waiting);
  else if (sweep.waiting !== null) parts.push(`waiting: ${sweep.waiting}`);
  if (sweep.registered !== null)
    parts.push(`registered ${sweep.registered.model}@${sweep.registered.version}`);
  return `${sweep.sweep} ${sweep.name}: ${parts.join(", ")}`;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
