/** One message of the inbox: the reports in it become inputs of the loop, and what cannot be read is set aside. Not when it is asked for. */
import type { Delivered } from "../../protocol/bus/bus.ts";
import { fromBytes } from "../../protocol/json-bytes.ts";
import { parseOutside } from "../../protocol/refusal.ts";
import { reportBatchSchema } from "../../protocol/report.ts";
import { agentOf } from "../../protocol/subjects.ts";
import type { GiveOrder } from "./give-order.ts";
import { heardOf, type Ears } from "./heard-of.ts";
import type { Leader } from "./leader.ts";
import { reportBytesMax, tooLarge } from "./message-limit.ts";
import type { SenderQuota } from "./sender-quota.ts";
import type { SetAside } from "./set-aside.ts";

export interface ReportTaker extends Ears {
  readonly leader: Leader;
  readonly giveOrder: GiveOrder;
  readonly quota: SenderQuota;
  readonly setAside: SetAside;
}

/** Resolves once its events are in the journal, or it was set aside; acknowledged and receipted then. Never where leadership is lost. */
export function takeReports(taker: ReportTaker, message: Delivered): Promise<void> {
  const { clock, giveOrder, leader, quota, setAside } = taker;
  const agent = agentOf(message.subject);
  // Not taken, it comes again in a while; until then it takes up one of the places that this agent has in the inbox.
  if (!quota.allows("report", `agent/${agent}`, message.data.length, clock.now())) return Promise.resolve();
  const batch = parseOutside(reportBatchSchema, fromBytes(message.data), `report of ${agent}`);
  if (!batch.ok) {
    const { length: bytes } = message.data;
    setAside.note({ kind: "report", sender: agent, bytes, sentence: batch.refusal.message });
    message.ack();
    return Promise.resolve();
  }
  const { reports } = batch.value;
  const receipt = () => {
    message.ack();
    const body = { epoch: leader.state.meta.epoch, ids: reports.map(({ id }) => id) };
    giveOrder({ agent, name: "receipt", body });
  };
  const takeable = reports.filter(({ report }) => {
    // Few messages are so large that one report in them could be.
    if (message.data.length <= reportBytesMax) return true;
    const bytes = Buffer.byteLength(JSON.stringify(report));
    const large = tooLarge(`a report of ${agent}`, bytes, reportBytesMax);
    if (large?.ok === false)
      setAside.note({ kind: "report", sender: agent, bytes, sentence: large.refusal.message });
    return large === null;
  });
  if (takeable.length === 0) {
    receipt();
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    let open = takeable.length;
    const heard = heardOf(taker, agent);
    for (const { report } of takeable) {
      leader.submit({
        input: { kind: "report", agent, report, heard },
        done: () => {
          if (--open > 0) return;
          receipt();
          resolve();
        },
      });
    }
  });
}
