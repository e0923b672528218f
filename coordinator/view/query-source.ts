/** What a question is answered from: the leader's durable state and what it heard last. */
import type { Bus } from "../../protocol/bus/bus.ts";
import type { ArchiveShelf } from "../archive/archive-shelf.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { SetAsideMessage } from "../../protocol/set-aside-view.ts";
import type { State } from "../state/state.ts";
import type { Digest } from "../../protocol/id.ts";
import type { SurveyMemory } from "../collect/survey.ts";
import type { EventLog } from "./event-log.ts";
import type { Position } from "../journal/journal.ts";
import type { HeartbeatBoard } from "./heartbeat-board.ts";
import type { PointIndex } from "./point-index.ts";

export interface QuerySource {
  readonly bus: Bus;
  readonly mesh: string;
  readonly state: State;
  readonly position: Position;
  readonly board: HeartbeatBoard;
  readonly clock: Clock;
  readonly events: EventLog;
  /** Messages that could not be processed, newest first. */
  readonly setAside: { list(): readonly SetAsideMessage[] };
  readonly settings: CoordinatorSettings;
  readonly points: PointIndex;
  readonly archives: ArchiveShelf;
  /** Who says that they hold an artifact, by name. */
  readonly tracker: {
    holders(
      digest: Digest,
      isPresent: (agent: string) => boolean,
    ): { readonly agents: readonly string[]; readonly bringing: readonly string[] };
  };
  /** How long whoever leads still removes nothing from the mesh's store, ms. */
  readonly restMs: () => number;
  /** Whether somebody was told within so many ms that it is there. */
  readonly wasTold: (digest: Digest, withinMs: number) => boolean;
  /** What a look at that store has read before. */
  readonly surveyMemory: SurveyMemory;
}
