/**
 * The orders of a leader as an agent hears them: checked, parsed, and handed on as inputs of `step`. One that no
 * coordinator of the mesh has signed for this agent, that came too late or that cannot be read is logged and dropped
 * (AGENT-7); whether any other counts is for `step` to say.
 */
import type { Bus, Subscription } from "../protocol/bus/bus.ts";
import type { Digest } from "../protocol/id.ts";
import { fromBytes } from "../protocol/json-bytes.ts";
import {
  beaconSchema,
  cancelSchema,
  drainSchema,
  extendSchema,
  offerSchema,
  receiptSchema,
  replicaSchema,
  serveSchema,
  type ReplicaOrder,
} from "../protocol/order.ts";
import type { MeshTrust } from "../protocol/signature.ts";
import { subjectsOf, type OrderName } from "../protocol/subjects.ts";
import type * as z from "zod";
import type { AgentInput } from "./core/agent-input.ts";

export interface HearOrdersOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  readonly trust: MeshTrust;
  /** Whether a moment of the leader's time in this epoch, ms since the Unix epoch, is known to be over. */
  readonly isOver: (epoch: number, at: number) => boolean;
  readonly take: (input: AgentInput) => void;
  readonly onReceipt: (ids: readonly string[]) => void;
  readonly onQuarantined: (reason: string) => void;
  /** Told which artifacts the mesh's store has lost. */
  readonly onWanted: (digests: readonly Digest[]) => void;
  readonly onDropped: (digests: readonly Digest[]) => void;
  readonly onReplica: (order: ReplicaOrder) => void;
  /** Told the signed head of the journal that a beacon brings. */
  readonly onHead: (proof: string) => void;
  readonly log: (line: string) => void;
}

/** Hears them until the subscriptions are closed. */
export function hearOrders(options: HearOrdersOptions): readonly Subscription[] {
  const { bus, isOver, log, mesh, name, onDropped, onHead, onQuarantined, onReceipt, onReplica, onWanted } =
    options;
  const { take, trust } = options;
  const subjects = subjectsOf(mesh);
  const hear = <T extends { readonly epoch: number; readonly expires: number }>(
    order: OrderName,
    schema: z.ZodType<T>,
    obey: (body: T) => void,
  ): Subscription => {
    const subject = subjects.order(name, order);
    return bus.subscribe(subject, (message) => {
      const signed = trust.open(subject, message.data);
      if (signed === null) return log(`dropped: ${order} order without a coordinator's signature for it`);
      const body = schema.safeParse(fromBytes(signed.body));
      if (!body.success) return log(`dropped: unreadable ${order} order of ${signed.by}`);
      const { epoch, expires } = body.data;
      if (isOver(epoch, expires)) return log(`dropped: ${order} order of ${signed.by} that came too late`);
      obey(body.data);
    });
  };
  return [
    hear("offer", offerSchema, (body) => take({ kind: "offer", ...body })),
    hear("extend", extendSchema, (body) => take({ kind: "extend", ...body })),
    hear("cancel", cancelSchema, (body) => take({ kind: "cancel", ...body })),
    hear("drain", drainSchema, ({ drain, epoch, quarantined }) => {
      take({ kind: "drain", epoch, drain });
      if (quarantined !== undefined) onQuarantined(quarantined);
    }),
    hear("receipt", receiptSchema, (body) => onReceipt(body.ids)),
    hear("replica", replicaSchema, onReplica),
    hear("serve", serveSchema, (body) => take({ kind: "serve", ...body })),
    bus.subscribe(subjects.epoch, (message) => {
      const signed = trust.open(subjects.epoch, message.data);
      const beacon = beaconSchema.safeParse(signed === null ? undefined : fromBytes(signed.body));
      if (!beacon.success) return;
      const { dropped, head, wanted, ...heard } = beacon.data;
      // Before what may make it register: it is to be given back with that.
      if (head !== undefined) onHead(head);
      take({ kind: "beacon", ...heard });
      onWanted(wanted ?? []);
      onDropped(dropped ?? []);
    }),
  ];
}
