/** Sends an order to its agent, signed for that agent and that kind of order, and good for a while only. */
import type { Bus } from "../../protocol/bus/bus.ts";
import { toBytes } from "../../protocol/json-bytes.ts";
import { orderLifeMs } from "../../protocol/order.ts";
import type { Signer } from "../../protocol/signature.ts";
import { subjectsOf } from "../../protocol/subjects.ts";
import type { Clock } from "../../protocol/time/clock.ts";
import type { Order } from "./owed-orders.ts";

export type GiveOrder = (order: Order) => void;

export function orderGiver(bus: Bus, mesh: string, signer: Signer, clock: Clock): GiveOrder {
  const subjects = subjectsOf(mesh);
  return ({ agent, body, name }) => {
    const subject = subjects.order(agent, name);
    const expires = clock.now() + orderLifeMs;
    bus.publish(subject, signer.sign(subject, toBytes({ ...body, expires })));
  };
}
