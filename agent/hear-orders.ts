/**
 * The orders of a leader as an agent hears them: parsed, and handed on as inputs of `step`. An unreadable one is logged
 * and dropped; whether a readable one counts is for `step` to say.
 */
import type { Bus, Subscription } from "../protocol/bus/bus.ts";
import { fromBytes } from "../protocol/json-bytes.ts";
import {
  beaconSchema,
  cancelSchema,
  drainSchema,
  extendSchema,
  offerSchema,
  receiptSchema,
} from "../protocol/order.ts";
import { subjectsOf, type OrderName } from "../protocol/subjects.ts";
import type * as z from "zod";
import type { AgentInput } from "./core/agent-input.ts";

export interface HearOrdersOptions {
  readonly mesh: string;
  readonly name: string;
  readonly bus: Bus;
  readonly take: (input: AgentInput) => void;
  readonly onReceipt: (ids: readonly string[]) => void;
  readonly log: (line: string) => void;
}

/** Hears them until the subscriptions are closed. */
export function hearOrders(options: HearOrdersOptions): readonly Subscription[] {
  const { bus, log, mesh, name, onReceipt, take } = options;
  const subjects = subjectsOf(mesh);
  const hear = <T>(order: OrderName, schema: z.ZodType<T>, obey: (body: T) => void): Subscription =>
    bus.subscribe(subjects.order(name, order), (message) => {
      const body = schema.safeParse(fromBytes(message.data));
      if (body.success) obey(body.data);
      else log(`an unreadable ${order} order was dropped`);
    });
  return [
    hear("offer", offerSchema, (body) => take({ kind: "offer", ...body })),
    hear("extend", extendSchema, (body) => take({ kind: "extend", ...body })),
    hear("cancel", cancelSchema, (body) => take({ kind: "cancel", ...body })),
    hear("drain", drainSchema, (body) => take({ kind: "drain", ...body })),
    hear("receipt", receiptSchema, (body) => onReceipt(body.ids)),
    bus.subscribe(subjects.epoch, (message) => {
      const beacon = beaconSchema.safeParse(fromBytes(message.data));
      if (beacon.success) take({ kind: "beacon", epoch: beacon.data.epoch });
    }),
  ];
}
