/**
 * What agents give back of the heads that leaders have signed, held against the journal. JOURNAL-10: a head that the journal does
 * not bear out ends the leader, which has read a history that is shorter than what was once said, or another; one that no
 * coordinator signed is nothing.
 */
import { BusError } from "../../protocol/bus/bus.ts";
import { readHead, type SignedHead } from "../../protocol/signed-head.ts";
import { hashOf } from "../journal/batch.ts";
import { JournalBroken, type Journal } from "../journal/journal.ts";
import type { JournalCopy } from "../journal/journal-copy.ts";
import type { CoordinatorKeys } from "../journal/seal.ts";

export interface HeadCheckOptions {
  readonly mesh: string;
  readonly keys: Pick<CoordinatorKeys, "trust">;
  readonly journal: Journal;
  readonly copy: JournalCopy;
  readonly log: (line: string) => void;
  readonly onError: (error: unknown) => void;
}

/** False where the agent's head is not borne out; the leader has been told by `onError` then. */
export type HeadCheck = (agent: string, proof: string) => Promise<boolean>;

export function headCheck({ copy, journal, keys, log, mesh, onError }: HeadCheckOptions): HeadCheck {
  return async (agent, proof) => {
    const head = readHead(keys.trust, mesh, proof);
    if (head === null) {
      log(
        `agent ${agent} gives a head of the journal that no coordinator of mesh ${mesh} has signed: left out`,
      );
      return true;
    }
    // All up to its end was read and verified.
    const ours = head.sequence <= copy.end.sequence ? copy.at(head.sequence) : null;
    if (ours !== null && hashOf(ours) === head.hash) return true;
    try {
      await journal.verify(head);
      return true;
    } catch (error) {
      // A server that is away proves nothing; the agent will ask again.
      if (error instanceof BusError) return true;
      if (!(error instanceof JournalBroken)) throw error;
      await copy.noteSeen(head).catch(onError);
      onError(brokenBy(agent, head, error));
      return false;
    }
  };
}

function brokenBy(agent: string, { epoch }: SignedHead, { message }: JournalBroken): JournalBroken {
  return new JournalBroken(
    `${message}, as agent ${agent} proves by what the leader of epoch ${epoch} signed`,
  );
}
