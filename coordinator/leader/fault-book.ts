/**
 * Messages that made the coordinator's own code fail. FAULT-2: such a message is refused with a sentence and the leader goes on.
 * Where part of what it led to was in the state already, the term ends and begins again from what is durable, and the book, which
 * outlives the term, knows the message when it comes again. A fault of what the coordinator does by itself, or of an event that
 * stands in the journal, is another thing: no message is to blame, and the coordinator halts.
 */
import { createHash } from "node:crypto";
import { errorSentence } from "../../protocol/error-sentence.ts";
import type { Input } from "../state/input.ts";
import type { NewSetAside } from "./set-aside.ts";

const faultsMax = 1_000;

/** What somebody sent; all else is the coordinator's own. */
export type MessageInput = Extract<Input, { kind: "command" | "register" | "heartbeat" | "report" }>;

export function isMessage(input: Input): input is MessageInput {
  return ["command", "register", "heartbeat", "report"].includes(input.kind);
}

/** The state holds part of what a message led to: whoever catches this begins again from what is durable. */
export class SpoiltState extends Error {
  override readonly name = "SpoiltState";
}

export class FaultBook {
  /** Why each failed, by the digest of what was sent; oldest first. */
  readonly #sentences = new Map<string, string>();

  /** Why it failed before; null where it did not. */
  known(input: Input): string | null {
    if (this.#sentences.size === 0 || !isMessage(input)) return null;
    return this.#sentences.get(digestOf(input)) ?? null;
  }

  /** Returns the sentence for its sender. */
  note(input: MessageInput, error: unknown): string {
    const sentence = `${whatOf(input)} cannot be carried out, for the coordinator fails at it: ${errorSentence(error)}; nothing was changed`;
    this.#sentences.set(digestOf(input), sentence);
    for (const oldest of this.#sentences.keys()) {
      if (this.#sentences.size <= faultsMax) break;
      this.#sentences.delete(oldest);
    }
    return sentence;
  }
}

/** As it is set aside. */
export function asideOf(input: MessageInput, sentence: string): NewSetAside {
  const bytes = Buffer.byteLength(JSON.stringify(input));
  switch (input.kind) {
    case "command":
      return { kind: "command", sender: `${input.sender.role} ${input.sender.who}`, bytes, sentence };
    case "register":
      return { kind: "registration", sender: input.agent, bytes, sentence };
    case "heartbeat":
    case "report":
      return { kind: input.kind, sender: input.agent, bytes, sentence };
  }
}

function whatOf(input: MessageInput): string {
  switch (input.kind) {
    case "command":
      return `the command ${input.name}`;
    case "register":
      return `the registration of ${input.agent}`;
    case "heartbeat":
      return `a heartbeat of ${input.agent}`;
    case "report":
      return `the ${input.report.kind} report of ${input.agent}`;
  }
}

/** Of what is the same each time it is sent: neither the key of a command nor the figures of a heartbeat. */
function digestOf(input: MessageInput): string {
  return createHash("sha256")
    .update(JSON.stringify(sameOf(input)))
    .digest("hex");
}

function sameOf(input: MessageInput): readonly unknown[] {
  switch (input.kind) {
    case "command":
      return [input.kind, input.sender, input.name, input.body];
    case "register":
      return [input.kind, input.agent, input.register];
    case "heartbeat":
      return [input.kind, input.agent, input.heartbeat.incarnation];
    case "report":
      return [input.kind, input.agent, input.report];
  }
}
