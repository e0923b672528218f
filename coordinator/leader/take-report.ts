/**
 * What the inbox hands over at once: the bytes that came with it are packed, then the reports in it become inputs of the loop. Not here:
 * when the inbox is asked, and what is read of a message.
 *
 * PACK-3: no report is decided on before the bytes that came with it are on the server's disk, so no event speaks of bytes that a
 * crash can take away. One flush for all of a batch.
 */
import { BusError, type Bytes, type Delivered } from "../../protocol/bus/bus.ts";
import type { Digest } from "../../protocol/id.ts";
import type { Contents } from "../../protocol/report-message.ts";
import type { Report } from "../../protocol/report.ts";
import { wantedOf } from "../core/decide-report.ts";
import type { PackPlaces } from "../state/input.ts";
import type { GiveOrder } from "./give-order.ts";
import { heardOf, type Ears } from "./heard-of.ts";
import type { Leader } from "./leader.ts";
import { reportBytesMax, tooLarge } from "./message-limit.ts";
import type { PackStore } from "./pack-store.ts";
import { forgeryOf, readInbox, type InboxReader, type ReadMessage } from "./read-inbox.ts";

export interface ReportTaker extends Ears, InboxReader {
  readonly clock: Ears["clock"];
  readonly leader: Leader;
  readonly packs: PackStore;
  readonly giveOrder: GiveOrder;
  /** GC-5: what a report speaks of is there already, and is not to go before that is decided on. */
  readonly spare: (digest: Digest) => void;
  readonly log: (line: string) => void;
}

const noPlaces: PackPlaces = new Map();

/**
 * Resolves once the events of all are in the journal, or they were set aside; acknowledged and receipted then. Never where leadership is
 * lost. Those are left out whose bytes cannot be stored: they come again.
 */
export async function takeInbox(taker: ReportTaker, batch: readonly Delivered[]): Promise<void> {
  const read = batch.flatMap((message) => readInbox(taker, message) ?? []);
  const wanted = new Map<Digest, Bytes>();
  const withBytes = new Set<ReadMessage>();
  for (const one of read) {
    for (const [digest, content] of wantedIn(taker, one)) {
      wanted.set(digest, content);
      withBytes.add(one);
    }
  }
  const places = wanted.size === 0 ? noPlaces : await placesOf(taker, wanted);
  const taken = places === null ? read.filter((one) => !withBytes.has(one)) : read;
  await Promise.all(taken.map((one) => takeReports(taker, one, places ?? noPlaces)));
}

function* wantedIn(
  { leader, spare }: ReportTaker,
  read: ReadMessage,
): Generator<[Digest, Bytes], void, void> {
  const { agent, contents, reports } = read;
  if (contents.size === 0) return;
  for (const digest of contents.keys()) if (leader.state.packed.has(digest)) spare(digest);
  for (const { report } of reports) {
    for (const digest of wantedOf(leader.state, agent, report)) {
      const content = contents.get(digest);
      if (content !== undefined) yield [digest, content];
    }
  }
}

/** Null where the server does not take them just now, or not from this coordinator. */
async function placesOf({ log, packs }: ReportTaker, wanted: Contents): Promise<PackPlaces | null> {
  try {
    return await packs.write(wanted);
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    log(`${wanted.size} checkpoints that came with reports are not stored, and come again: ${error.message}`);
    return null;
  }
}

function takeReports(taker: ReportTaker, read: ReadMessage, packs: PackPlaces): Promise<void> {
  const { giveOrder, leader } = taker;
  const { agent, message, reports } = read;
  const receipt = () => {
    message.ack();
    const body = { epoch: leader.state.meta.epoch, ids: reports.map(({ id }) => id) };
    giveOrder({ agent, name: "receipt", body });
  };
  const takeable = reports.filter(({ report }) => isTakeable(taker, read, report));
  if (takeable.length === 0) {
    receipt();
    return Promise.resolve();
  }
  return new Promise((resolve) => {
    let open = takeable.length;
    const heard = heardOf(taker, agent);
    for (const { report } of takeable) {
      const forged = forgeryOf(read, report);
      const { length: bytes } = message.data;
      if (forged !== null) taker.setAside.note({ kind: "report", sender: agent, bytes, sentence: forged });
      leader.submit({
        input: {
          ...{ kind: "report", agent, report, heard },
          ...(packs.size === 0 ? {} : { packs }),
          ...(forged === null ? {} : { forged }),
        },
        done: () => {
          if (--open > 0) return;
          receipt();
          resolve();
        },
      });
    }
  });
}

function isTakeable({ setAside }: ReportTaker, { agent, batchBytes }: ReadMessage, report: Report): boolean {
  // Few messages are so large that one report in them could be.
  if (batchBytes <= reportBytesMax) return true;
  const bytes = Buffer.byteLength(JSON.stringify(report));
  const large = tooLarge(`a report of ${agent}`, bytes, reportBytesMax);
  if (large?.ok === false)
    setAside.note({ kind: "report", sender: agent, bytes, sentence: large.refusal.message });
  return large === null;
}
