/** When the leader hears an agent, in its own time: noted as a message comes in, since it may be decided on much later. */
import type { Clock } from "../../protocol/time/clock.ts";
import type { Heard } from "../state/input.ts";
import type { HeartbeatBoard } from "../view/heartbeat-board.ts";
import type { ClockWatch } from "./clock-watch.ts";

export interface Ears {
  readonly board: HeartbeatBoard;
  /** The term's. */
  readonly clock: Clock;
  readonly watch: ClockWatch;
}

/** This moment; to be asked before a heartbeat is noted on the board. */
export function heardOf({ board, clock, watch }: Ears, agent: string): Heard {
  const now = clock.monotonic();
  const beatAt = board.of(agent)?.beatAt ?? null;
  const at = clock.now();
  const sinceMs = beatAt === null ? null : now - beatAt;
  return {
    at,
    sinceMs,
    beatAt: sinceMs === null ? null : at - sinceMs,
    steadySince: at - (now - watch.look()),
  };
}
