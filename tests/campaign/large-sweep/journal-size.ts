/** How large the messages and the events of a journal are, and whether what it adds up to is whole. */
import { brokenInvariants } from "../../../coordinator/core/invariant.ts";
import { replay } from "../../../coordinator/core/replay.ts";
import { startPosition, type Journal } from "../../../coordinator/journal/journal.ts";
import { emptyState, type State } from "../../../coordinator/state/state.ts";

export interface JournalSize {
  readonly messages: number;
  readonly events: number;
  readonly bytes: number;
  readonly largestMessageBytes: number;
  readonly largestEvent: { readonly kind: string; readonly bytes: number };
  readonly violations: readonly string[];
  readonly state: State;
}

export async function sizeOfJournal(journal: Journal): Promise<JournalSize> {
  const state = emptyState();
  let position = startPosition;
  let [messages, events, bytes, largestMessageBytes] = [0, 0, 0, 0];
  let largestEvent = { kind: "none", bytes: 0 };
  for (;;) {
    const entries = await journal.readAfter(position);
    if (entries.length === 0) break;
    for (const entry of entries) {
      messages++;
      bytes += entry.bytes.length;
      largestMessageBytes = Math.max(largestMessageBytes, entry.bytes.length);
      for (const event of replay(state, entry.batch)) {
        events++;
        const size = Buffer.byteLength(JSON.stringify(event));
        if (size > largestEvent.bytes) largestEvent = { kind: event.kind, bytes: size };
      }
      position = entry.position;
    }
  }
  const violations = brokenInvariants(state).map(
    ({ detail, rule, where }) => `${rule} at ${where}: ${detail}`,
  );
  return { messages, events, bytes, largestMessageBytes, largestEvent, violations, state };
}
