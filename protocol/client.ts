/**
 * A person's or program's way to ask the mesh: queries and commands over a bus, each answered by
 * an `Outcome`. It retries while no leader answers; a command keeps its key, so a retry is harmless.
 */
import { BusError, type Bus, type BusEvent, type BusStatus } from "./bus/bus.ts";
import type { Clock } from "./time/clock.ts";
import {
  answerSchema,
  commandValues,
  type CommandBody,
  type CommandName,
  type CommandValue,
  type QueryBody,
  type QueryName,
} from "./command.ts";
import { fromBytes, toBytes } from "./json-bytes.ts";
import { parseOutside, refuse, type Outcome } from "./refusal.ts";
import { subjectsOf, type Role } from "./subjects.ts";
import { queryValues } from "./view.ts";
import type * as z from "zod";

export type QueryValue<N extends QueryName> = z.infer<(typeof queryValues)[N]>;

/** What a caller may leave out of a body, the schema fills in. */
type Loose<T> = Partial<T>;

export interface MeshClient {
  readonly mesh: string;
  readonly who: string;
  readonly role: Role;
  query<N extends QueryName>(name: N, body: Loose<QueryBody<N>>): Promise<Outcome<QueryValue<N>>>;
  command<N extends CommandName>(name: N, body: Loose<CommandBody<N>>): Promise<Outcome<CommandValue<N>>>;
  status(): BusStatus;
  onStatus(listener: (event: BusEvent) => void): () => void;
  close(): Promise<void>;
}

const queryAnswers: { readonly [N in QueryName]: z.ZodType<QueryValue<N>> } = queryValues;
const commandAnswers: { readonly [N in CommandName]: z.ZodType<CommandValue<N>> } = commandValues;

const attemptMs = 3_000;
const pauseMs = 250;
/** How long a request waits for a leader before it is refused as unavailable. */
const patienceMs = 20_000;

export interface ClientOptions {
  readonly mesh: string;
  readonly role: Role;
  readonly who: string;
  readonly bus: Bus;
  readonly clock: Clock;
  /** A fresh unique string for each command. */
  readonly newKey: () => string;
  readonly patienceMs?: number;
}

export function openClient(options: ClientOptions): MeshClient {
  const { bus, clock, mesh, role, who } = options;
  const subjects = subjectsOf(mesh);
  const patience = options.patienceMs ?? patienceMs;

  async function ask(subject: string, body: unknown): Promise<Outcome<unknown>> {
    const deadline = clock.monotonic() + patience;
    const data = toBytes(body);
    for (;;) {
      try {
        const answer = parseOutside(
          answerSchema,
          fromBytes(await bus.request(subject, data, attemptMs)),
          "answer",
        );
        if (!answer.ok) return answer;
        return answer.value;
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        if (error.kind === "denied") return refuse("forbidden", error.message);
        if (clock.monotonic() >= deadline || bus.status() === "closed") {
          return refuse("unavailable", unavailableMessage(error));
        }
        await new Promise<void>((resolve) => clock.setTimer(pauseMs, resolve));
      }
    }
  }

  return {
    mesh,
    who,
    role,
    async query(name, body) {
      const answer = await ask(subjects.query(role, who, name), body);
      if (!answer.ok) return answer;
      const value = parseOutside(queryAnswers[name], answer.value, `answer to ${name}`);
      return value.ok && answer.cut !== undefined ? { ...value, cut: answer.cut } : value;
    },
    async command(name, body) {
      const answer = await ask(subjects.command(role, who, name), { key: options.newKey(), body });
      return answer.ok ? parseOutside(commandAnswers[name], answer.value, `answer to ${name}`) : answer;
    },
    status: () => bus.status(),
    onStatus: (listener) => bus.onStatus(listener),
    close: () => bus.close(),
  };
}

function unavailableMessage(error: BusError): string {
  if (error.kind === "no-responders") {
    return "no coordinator answers: start one with `trialmesh up` or `trialmesh coordinator`";
  }
  return `the mesh does not answer (${error.message})`;
}
