/**
 * Follows what a trial writes, to its end: each line once, in order. A mesh that does not answer for a while is waited for. Which
 * lines are kept at all is the agent's to decide, and how they look is the caller's.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MeshClient } from "../../protocol/client.ts";
import { logLinesShownMax } from "../../protocol/command.ts";
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import type { LogLineView } from "../../protocol/view.ts";

const pollMs = 500;
const running = ["queued", "running", "paused"];

export interface Followed {
  /** How the trial ended. */
  readonly state: string;
}

/** `limit`: so many lines of before come first. `say` is told where the mesh is away. */
export async function followLogs(
  client: MeshClient,
  trial: string,
  limit: number,
  line: (line: LogLineView) => void,
  say: (line: string) => void,
): Promise<Outcome<Followed>> {
  let after: number | null = null;
  /** The state it had before the lines were asked for, where that was its last. */
  let ended: string | null = null;
  let away = false;
  for (;;) {
    const answer = await linesAfter(client, trial, limit, after);
    if (!answer.ok) {
      if (answer.refusal.code !== "unavailable" || client.status() === "closed") return answer;
      if (!away) say(`${trial}: ${answer.refusal.message}; waiting for it`);
      away = true;
      await sleep(pollMs);
      continue;
    }
    if (away) say(`${trial}: the mesh answers again`);
    away = false;
    const { lines, position } = answer.value;
    for (const each of lines) line(each);
    if (position === undefined)
      return refuse(
        "unavailable",
        "this mesh's coordinator is of a version that lets nobody follow a log; without --follow it is shown",
      );
    after = position;
    if (lines.length === logLinesShownMax) continue;
    if (ended !== null && lines.length === 0) return accept({ state: ended });
    const view = await client.query("trial", { trial });
    if (view.ok) ended = running.includes(view.value.state) ? null : view.value.state;
    await sleep(pollMs);
  }
}

function linesAfter(client: MeshClient, trial: string, limit: number, after: number | null) {
  return after === null
    ? client.query("logs", { trial, limit: Math.min(limit, logLinesShownMax) })
    : client.query("logs", { trial, limit: logLinesShownMax, after });
}
