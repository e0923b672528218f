/** What the coordinator's loop decides on: parsed, with the sender proven by the bus. Time comes beside it. */
import type { CommandName } from "../../protocol/command.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import type { Digest, SweepId, TrialId } from "../../protocol/id.ts";
import type { Params } from "../../protocol/value.ts";
import type { Register, Heartbeat, Report } from "../../protocol/report.ts";
import type { Role } from "../../protocol/subjects.ts";
import type { Event } from "../format/event.ts";

/** When the leader heard an agent, in its own time. Left out where nobody noted it: see `heardNow`. */
export interface Heard {
  readonly at: number;
  /** Since it had last heard that agent's heartbeat, ms; null: not in this term. */
  readonly sinceMs: number | null;
  /** When that was; null where it is not known. */
  readonly beatAt: number | null;
  /** Since when the leader's clock has run evenly: before that its machine may have slept. */
  readonly steadySince: number;
}

/** The pack of each digest that came with reports. PACK-3: it is flushed before anything here refers to it. */
export type PackPlaces = ReadonlyMap<Digest, number>;

export interface Sender {
  readonly role: Role;
  readonly who: string;
}

export type Input =
  | {
      readonly kind: "command";
      readonly key: string;
      readonly sender: Sender;
      readonly name: CommandName;
      readonly body: unknown;
    }
  | { readonly kind: "register"; readonly agent: string; readonly register: Register }
  | {
      readonly kind: "heartbeat";
      readonly agent: string;
      readonly heartbeat: Heartbeat;
      readonly heard?: Heard;
    }
  | { readonly kind: "silent"; readonly agent: string }
  | {
      readonly kind: "report";
      readonly agent: string;
      readonly report: Report;
      readonly heard?: Heard;
      /** Where the bytes that came with it lie; left out where none did. */
      readonly packs?: PackPlaces;
      /** The bytes that came with it are not what it says: why. */
      readonly forged?: string;
    }
  | { readonly kind: "proposals"; readonly proposals: Proposals }
  | { readonly kind: "collect"; readonly collection: Collection }
  /** The bytes of a mark that was collected are no longer in the mesh's store. */
  | { readonly kind: "removed"; readonly mark: number }
  | { readonly kind: "archived"; readonly made: MadeArchive }
  | { readonly kind: "expire" };

/** What the mesh's store holds that could go, as far as can be told without the state. */
export interface Collection {
  /** Stored long enough ago not to be part of an upload, or spoken of by a trial. */
  readonly found: readonly { readonly digest: Digest; readonly bytes: number }[];
  /** Somebody was told lately that these are there, and may be about to refer to them. */
  readonly spared: Pick<ReadonlySet<Digest>, "has">;
  /** Above every sequence of the store at that moment. */
  readonly before: number;
  /** All of the store was looked through. */
  readonly isLook: boolean;
  /** Whoever leads has done so long enough to have heard of what was on its way before. */
  readonly mayCollect: boolean;
}

/** Curves and logs of trials of one sweep, in the mesh's store. */
export interface MadeArchive {
  readonly sweep: SweepId;
  readonly trials: readonly TrialId[];
  /** Null where they have none. */
  readonly curves: Digest | null;
  readonly logs: Digest | null;
  /** The last sequence of each stream that was read. */
  readonly curvesTo: number;
  readonly logsTo: number;
  readonly bytes: number;
}

/** What a sampler answered, for a sweep as it was when it was asked. */
export interface Proposals {
  readonly sweep: SweepId;
  /** Trials it had proposed by then. */
  readonly basis: number;
  readonly suggestions: readonly {
    readonly model: string;
    readonly params: Params;
    readonly parent: number | null;
  }[];
  readonly position: number;
  readonly note: string | null;
}

/**
 * A decision hands out its events one at a time and goes on once the caller has applied each, so that
 * every step sees the state the steps before it made. It returns the answer to a command.
 */
export type Decision = Generator<Event, Outcome<unknown>, void>;
/** A decision that may take more than one batch: returns whether it is through. */
export type Part = Generator<Event, boolean, void>;
/** A part of a decision that has no answer of its own. */
export type Steps = Generator<Event, void, void>;
