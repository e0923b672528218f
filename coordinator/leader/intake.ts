/**
 * Where messages come in: parsed once, here, into inputs and questions. What does not parse is refused
 * with a reason where somebody waits for an answer, and counted, logged and dropped where nobody does.
 */
import { BusError, type Bus, type Subscription } from "../../protocol/bus/bus.ts";
import { sleep } from "../../protocol/time/clock.ts";
import {
  commandSchemas,
  commandEnvelopeSchema,
  querySchemas,
  type CommandName,
  type QueryName,
} from "../../protocol/command.ts";
import type { Digest } from "../../protocol/id.ts";
import { fromBytes, toBytes } from "../../protocol/json-bytes.ts";
import { suggestion } from "../../protocol/name.ts";
import { accept, parseOutside, refuse, type Outcome } from "../../protocol/refusal.ts";
import { isRenewal } from "../../protocol/renewal.ts";
import { carriedBytesMax } from "../../protocol/report-message.ts";
import { registerSchema, heartbeatSchema, type Welcome } from "../../protocol/report.ts";
import {
  agentOf,
  coordinatorPatterns,
  inboxDurable,
  roles,
  senderOf,
  streamsOf,
  type Role,
} from "../../protocol/subjects.ts";
import { commandBytesMax, heartbeatBytesMax, registerBytesMax, tooLarge } from "./message-limit.ts";
import { beyondQuota, commandRate, queryRate, type SenderQuota } from "./sender-quota.ts";
import { heardOf, type Ears } from "./heard-of.ts";
import type { CoordinatorSettings } from "../state/setting.ts";
import type { EventLog } from "../view/event-log.ts";
import type { GiveOrder } from "./give-order.ts";
import type { HeadCheck } from "./head-check.ts";
import type { Leader } from "./leader.ts";
import type { SetAside } from "./set-aside.ts";
import type { PackStore } from "./pack-store.ts";
import { takeInbox } from "./take-report.ts";
import type { Tracker } from "./tracker.ts";
import type { SurveyMemory } from "../collect/survey.ts";
import type { ArchiveShelf } from "../archive/archive-shelf.ts";
import type { PointIndex } from "../view/point-index.ts";
import { answerQuery } from "../view/answer-query.ts";
import { answerBytes } from "../view/fit-answer.ts";

export interface IntakeOptions extends Ears {
  readonly bus: Bus;
  readonly mesh: string;
  readonly leader: Leader;
  readonly events: EventLog;
  readonly settings: CoordinatorSettings;
  readonly giveOrder: GiveOrder;
  readonly setAside: SetAside;
  readonly packs: PackStore;
  readonly quota: SenderQuota;
  readonly points: PointIndex;
  readonly archives: ArchiveShelf;
  readonly checkHead: HeadCheck;
  readonly restMs: () => number;
  readonly wasTold: (digest: Digest, withinMs: number) => boolean;
  readonly surveyMemory: SurveyMemory;
  readonly tracker: Tracker;
  readonly spare: (digest: Digest) => void;
  readonly log: (line: string) => void;
}

const inboxBatchMax = 200;
/** Batches in hand at once: while one waits for the journal, the next ones are asked for and parsed. */
const inboxBatchesMax = 3;
/** An inbox message not yet decided on after this long goes to whoever leads then. */
const inboxAckWaitMs = 5_000;
/** A server that was away when we asked for the inbox is asked again after this long. */
const consumeRetryMs = 500;

/** Commands, queries, registrations and heartbeats: answered by whoever leads. */
export function serveRequests(options: IntakeOptions): Subscription[] {
  const { bus, clock, leader, mesh, quota } = options;
  const patterns = coordinatorPatterns(mesh);
  return [
    serveCommands(options),
    bus.subscribe(patterns.queries, (message) => {
      const { name, role, who } = senderOf(message.subject);
      const respond = (answer: Outcome<unknown>) =>
        message.respond(answerBytes(isQuery(name) ? `the query ${name}` : "a query", answer));
      // Standby coordinators ask so seldom that their asking is not counted: who leads must not hang on it.
      if (
        role !== "coordinator" &&
        !quota.allows("query", `${role}/${who}`, message.data.length, clock.monotonic())
      )
        return respond(refuse("unavailable", beyondQuota(who, "questions", queryRate)));
      // Asked of whoever has the keys, with a credential that may ask nowhere else.
      if (name === "renew" || (role === "coordinator" && isRenewal(fromBytes(message.data)))) return;
      if (name === "ping") return respond(accept({ epoch: leader.state.meta.epoch }));
      if (!isQuery(name)) {
        return respond(
          refuse("unknown", `there is no query ${name}; ${suggestion(name, Object.keys(querySchemas))}`),
        );
      }
      const large = tooLarge(`query ${name}`, message.data.length, commandBytesMax);
      if (large !== null) return respond(large);
      const body = fromBytes(message.data);
      leader.ask(() => {
        const began = clock.monotonic();
        const source = { ...options, state: leader.state, position: leader.position };
        void answerQuery(source, name, body).then(respond);
        const ended = clock.monotonic();
        quota.answered(`${role}/${who}`, ended - began, ended);
      });
    }),
    serveRegisters(options),
    serveHeartbeats(options),
  ];
}

function serveHeartbeats(options: IntakeOptions): Subscription {
  const { board, bus, clock, giveOrder, leader, mesh, quota, setAside } = options;
  return bus.subscribe(coordinatorPatterns(mesh).heartbeats, (message) => {
    const agent = agentOf(message.subject);
    if (!quota.allows("heartbeat", `agent/${agent}`, message.data.length, clock.monotonic())) return;
    const aside = (sentence: string) =>
      setAside.note({ kind: "heartbeat", sender: agent, bytes: message.data.length, sentence });
    const large = tooLarge(`a heartbeat of ${agent}`, message.data.length, heartbeatBytesMax);
    if (large?.ok === false) return aside(large.refusal.message);
    const heartbeat = parseOutside(heartbeatSchema, fromBytes(message.data), `heartbeat of ${agent}`);
    if (!heartbeat.ok) return aside(heartbeat.refusal.message);
    const heard = heardOf(options, agent);
    const { incarnation, running } = heartbeat.value;
    if (leader.state.agents.get(agent)?.incarnation === incarnation)
      board.noteBeat(agent, clock.now(), heartbeat.value, clock.monotonic());
    // LEASE-9: who slept through the end of its lease, and of the term that gave it, has no other way to learn of it; nor has
    // an earlier run that goes on beside a later one.
    const overIn = () => running.filter(({ fence }) => !leader.state.active.has(fence));
    const done = () => {
      if (overIn().length === 0) return;
      leader.ask(() => {
        const fences = overIn().map(({ fence }) => fence);
        if (fences.length === 0) return;
        const { epoch } = leader.state.meta;
        giveOrder({
          agent,
          name: "cancel",
          body: { epoch, fences, reason: "its lease is over", how: "soon" },
        });
      });
    };
    leader.submit({ input: { kind: "heartbeat", agent, heartbeat: heartbeat.value, heard }, done });
  });
}

function serveRegisters({
  board,
  bus,
  checkHead,
  clock,
  leader,
  mesh,
  packs,
  quota,
  setAside,
  settings,
}: IntakeOptions): Subscription {
  return bus.subscribe(coordinatorPatterns(mesh).registers, (message) => {
    const agent = agentOf(message.subject);
    if (!quota.allows("register", `agent/${agent}`, message.data.length, clock.monotonic()))
      return message.respond(toBytes(refuse("unavailable", `${agent} registers more often than it may`)));
    const large = tooLarge(`the registration of ${agent}`, message.data.length, registerBytesMax);
    const aside = (refused: Outcome<never>) => {
      const sentence = refused.ok ? "" : refused.refusal.message;
      setAside.note({ kind: "registration", sender: agent, bytes: message.data.length, sentence });
      message.respond(toBytes(refused));
    };
    if (large !== null) return aside(large);
    const body = fromBytes(message.data);
    if (isRenewal(body)) return;
    const register = parseOutside(registerSchema, body, `registration of ${agent}`);
    if (!register.ok) return aside(register);
    const answerWelcome = async () => {
      const carries = (await packs.takes()) ? carriedBytesMax : 0;
      board.note(agent, clock.now());
      const quarantined = leader.state.agents.get(agent)?.cordonReason ?? null;
      const welcome: Welcome = {
        epoch: leader.state.meta.epoch,
        at: clock.now(),
        presenceMs: settings.heartbeatMs,
        carries,
        ...(quarantined === null ? {} : { quarantined }),
      };
      message.respond(toBytes(accept(welcome)));
      leader.resend();
    };
    const submit = () =>
      leader.submit({
        input: { kind: "register", agent, register: register.value },
        done: (answer) => {
          if (answer.ok) void answerWelcome();
          else message.respond(toBytes(answer));
        },
      });
    const { head } = register.value;
    if (head === undefined) return submit();
    // No agent gets orders from a leader whose journal its own head does not bear out: it is not registered with it.
    void checkHead(agent, head).then((isBorneOut) => {
      if (isBorneOut) submit();
    });
  });
}

function serveCommands({ bus, clock, leader, mesh, quota }: IntakeOptions): Subscription {
  return bus.subscribe(coordinatorPatterns(mesh).commands, (message) => {
    const { name, role, who } = senderOf(message.subject);
    const respond = (answer: Outcome<unknown>) =>
      message.respond(answerBytes(isCommand(name) ? `the command ${name}` : "a command", answer));
    // Before anything is read of it: reading is most of what it costs.
    if (!quota.allows("command", `${role}/${who}`, message.data.length, clock.monotonic()))
      return respond(refuse("unavailable", beyondQuota(who, "commands", commandRate)));
    const large = tooLarge(`command ${name}`, message.data.length, commandBytesMax);
    if (large !== null) return respond(large);
    const envelope = parseOutside(commandEnvelopeSchema, fromBytes(message.data), "command");
    if (!envelope.ok) return respond(envelope);
    if (!isRole(role) || !isCommand(name)) {
      return respond(
        refuse("unknown", `there is no command ${name}; ${suggestion(name, Object.keys(commandSchemas))}`),
      );
    }
    const { body, key } = envelope.value;
    leader.submit({ input: { kind: "command", key, sender: { role, who }, name, body }, done: respond });
  });
}

/** Durable reports: acknowledged, and receipted to the agent, only once their events are in the journal. */
export function serveInbox(options: IntakeOptions): Subscription {
  const { bus, clock, mesh } = options;
  const consume = () =>
    bus.consume(
      streamsOf(mesh).inbox,
      inboxDurable,
      async (batch) => {
        // Where leadership is lost in between, this never resolves: the messages go to the next leader.
        await takeInbox(options, batch);
      },
      { maxBatch: inboxBatchMax, ackWaitMs: inboxAckWaitMs },
    );
  let closed = false;
  const consumers: Subscription[] = [];
  const begin = async (): Promise<void> => {
    while (!closed && consumers.length < inboxBatchesMax) {
      try {
        consumers.push(await consume());
      } catch (error) {
        if (!(error instanceof BusError)) throw error;
        await sleep(clock, consumeRetryMs);
      }
    }
    if (closed) close();
  };
  const close = () => {
    closed = true;
    for (const consumer of consumers.splice(0)) consumer.close();
  };
  void begin();
  return { close };
}

function isRole(role: string): role is Role {
  return (roles as readonly string[]).includes(role);
}

function isCommand(name: string): name is CommandName {
  return Object.hasOwn(commandSchemas, name);
}

function isQuery(name: string): name is QueryName {
  return Object.hasOwn(querySchemas, name);
}
