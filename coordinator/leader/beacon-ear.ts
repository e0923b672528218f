/**
 * LEAD-2: since when nobody was heard to lead: by beacons, which come at their pace also where a question and its answer, four ways
 * through the network, take longer than anybody waits. Only a hint, as `hears-no-leader.ts`; who leads is the journal's to say.
 */
import type { Bus, Subscription } from "../../protocol/bus/bus.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { beaconSchema } from "../../protocol/order.ts";
import type { MeshTrust } from "../../protocol/signature.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import type { Clock } from "../../protocol/time/clock.ts";

export interface BeaconEarOptions {
  readonly mesh: string;
  /** Whose own beacons do not count. */
  readonly name: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly trust: MeshTrust;
  /** Of the last term in the journal, as far as it is known here: what leads in an earlier one leads no more. */
  readonly epoch: () => number;
}

export class BeaconEar {
  readonly #options: BeaconEarOptions;
  readonly #subscription: Subscription;
  /** Of the newest beacon: one that comes again is no sign of life. */
  #newest = { epoch: 0, at: -Infinity };
  /** Monotonic ms. */
  #heardAt = -Infinity;

  constructor(options: BeaconEarOptions) {
    this.#options = options;
    const { epoch } = subjectsOf(options.mesh);
    this.#subscription = options.bus.subscribe(epoch, ({ data }) => {
      const signed = options.trust.open(epoch, data);
      if (signed !== null) this.#hear(signed.body);
    });
  }

  /** Whether another was heard to lead in the last `ms`. */
  heardWithin(ms: number): boolean {
    return this.#options.clock.monotonic() - this.#heardAt < ms;
  }

  close(): void {
    this.#subscription.close();
  }

  #hear(body: Uint8Array): void {
    const beacon = beaconSchema.safeParse(fromBytes(body));
    if (!beacon.success || beacon.data.leader === this.#options.name) return;
    const { at, epoch } = beacon.data;
    if (epoch < this.#options.epoch() || epoch < this.#newest.epoch) return;
    if (epoch === this.#newest.epoch && at <= this.#newest.at) return;
    this.#newest = { epoch, at };
    this.#heardAt = this.#options.clock.monotonic();
  }
}
