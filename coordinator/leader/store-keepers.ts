/** Who looks after stored bytes in a term: what is proved in the mesh's store, what agents hold, what goes, and what is archived. */
import { placeOf } from "../../artifact/mesh-blob.ts";
import type { Bus } from "../../protocol/bus/bus.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import { ArchiveShelf } from "../archive/archive-shelf.ts";
import { isHeld, leavesBefore } from "../state/bytes-held.ts";
import type { Input } from "../state/input.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { State } from "../state/state.ts";
import { PointIndex } from "../view/point-index.ts";
import { Archiver } from "./archiver.ts";
import { BlobProver } from "./blob-prover.ts";
import { Collector } from "./collector.ts";
import type { GiveOrder } from "./give-order.ts";
import type { Leader } from "./leader.ts";
import type { PackStore } from "./pack-store.ts";
import { ReplicaDesk } from "./replica-desk.ts";
import { ReplicaKeeper } from "./replica-keeper.ts";
import type { Tracker } from "./tracker.ts";

interface KeeperOptions {
  readonly bus: Bus;
  readonly mesh: string;
  readonly clock: Clock;
  readonly settings: CoordinatorSettings;
  readonly state: State;
  readonly log: (line: string) => void;
  readonly leader: Leader;
  readonly packs: PackStore;
  readonly giveOrder: GiveOrder;
  readonly tracker: Tracker;
}

export interface StoreKeepers {
  readonly archives: ArchiveShelf;
  readonly collector: Collector;
  readonly desk: ReplicaDesk;
  readonly keeper: ReplicaKeeper;
  readonly points: PointIndex;
  readonly prover: BlobProver;
  /** What it is time for. */
  look(): void;
  close(): void;
}

export function storeKeepers({
  bus,
  clock,
  giveOrder,
  leader,
  log,
  mesh,
  packs,
  settings,
  state,
  tracker,
}: KeeperOptions): StoreKeepers {
  const points = new PointIndex(bus);
  const desk = new ReplicaDesk({ clock, state, tracker, giveOrder });
  const ask = (question: () => void) => leader.ask(question);
  const submit = (input: Input) =>
    new Promise<void>((resolve) => leader.submit({ input, done: () => resolve() }));
  const prover = new BlobProver({
    ...{ bus, mesh, clock, packs, log },
    packOf: (digest) => state.packed.get(digest),
    leavesBefore: (digest) => leavesBefore(state, digest),
    isGone: (digest) => !isHeld(state, digest),
    onRemoved: (digest) => collector.memory.forget(digest),
  });
  const keeper = new ReplicaKeeper({
    ...{ clock, state, tracker, desk, giveOrder, ask, log, lostMs: settings.lostMs },
    prove: (digest) => prover.prove(digest),
  });
  const common = { bus, mesh, clock, state, settings, prover, log, ask, submit };
  const collector = new Collector({
    ...common,
    atAgents: () => keeper.atAgents(),
    mayBeNamed: (digest) => desk.isOver(digest) === false,
  });
  const archiver = new Archiver({ ...common, points });
  return {
    ...{ collector, desk, keeper, points, prover },
    archives: new ArchiveShelf({
      ...{ bus, place: placeOf(mesh), state },
      // A server that is away is asked when it is wanted the next time.
      doubt: (digest) => void prover.proveAgain(digest).catch(() => undefined),
    }),
    look: () => {
      collector.look();
      archiver.look();
    },
    close: () => {
      collector.close();
      archiver.close();
    },
  };
}
