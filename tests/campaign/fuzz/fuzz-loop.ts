/**
 * A coordinator on a bus in memory, to which a requester, a viewer and an agent say hundreds of thousands of wrong things, while
 * another requester's sweep runs on another agent. What those others have must stay theirs, and the journal whole.
 */
import assert from "node:assert/strict";
import { openPolicy } from "../../../protocol/capability.ts";
import { answerSchema } from "../../../protocol/command.ts";
import { fromBytes, toBytes } from "../../../protocol/json-bytes.ts";
import { streamsOf, subjectsOf } from "../../../protocol/subjects.ts";
import { CandidatePlace, placeMesh } from "../../support/candidate-place.ts";
import { capability, digestA, sweepSpec } from "../../support/fold.ts";
import { auditJournal } from "../../support/journal-audit.ts";
import { Draw } from "./draw.ts";
import { agentMessages, personMessages, type Known } from "./message.ts";
import { mutated } from "./mutate.ts";

export interface FuzzReport {
  readonly messages: number;
  /** What was answered to those who asked, by how: `ok` or the refusal's code. */
  readonly answers: Readonly<Record<string, number>>;
  readonly setAside: number;
  readonly heapMiB: number;
  /** Empty where all held. */
  readonly violations: readonly string[];
}

export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  readonly say: (line: string) => void;
}

const subjects = subjectsOf(placeMesh);
const [victim, mallory, evil] = ["victim", "mallory", "evil-box"];
const box = `${victim}-box`;
const leadingMs = 20_000;
const roundMessages = 200;
/** Time goes on so far after each round: the buckets of commands fill up again. */
const roundMs = 4_000;
const sayEvery = 50_000;
const bytesPerMiB = 1_048_576;

export async function fuzzLoop({ count, say, seed }: FuzzOptions): Promise<FuzzReport> {
  const place = new CandidatePlace();
  await place.streams();
  const candidate = place.start();
  await place.clock.advance(leadingMs);
  assert.equal(candidate.role(), "leader");
  await furnish(place);
  const before = theirs(place);
  const draw = new Draw(seed);
  const bus = place.hub.connect("fuzz");
  const answers: Record<string, number> = {};
  const violations: string[] = [];
  const note = (answer: Uint8Array) => {
    const parsed = answerSchema.safeParse(fromBytes(answer));
    if (!parsed.success)
      violations.push(`an answer does not parse: ${Buffer.from(answer.subarray(0, 200)).toString()}`);
    else if (answer.length > bytesPerMiB) violations.push(`an answer has ${answer.length} bytes`);
    const how = !parsed.success ? "unreadable" : parsed.data.ok ? "ok" : parsed.data.refusal.code;
    answers[how] = (answers[how] ?? 0) + 1;
  };
  const names = [victim, mallory, box, evil, "s1", "s1-1", "s2", "s2-1", 1, 2, 3, 1_000, "owner", digestA];
  for (let sent = 0; sent < count && violations.length === 0;) {
    const known = knownOf(place, sent);
    const all = [
      ...agentMessages(subjects, evil, known),
      ...personMessages(subjects, "requester", mallory, victim, known),
      ...personMessages(subjects, "viewer", mallory, victim, known),
    ];
    for (let round = 0; round < roundMessages && sent < count; round++, sent++) {
      const { body, durable, subject } = draw.of(all);
      const data = mutated(body, names, draw);
      if (durable === true) void bus.append(streamsOf(placeMesh).inbox, subject, data).catch(() => undefined);
      else void bus.request(subject, data, 1_000).then(note, () => undefined);
      if (sent % sayEvery === 0 && sent > 0) say(`${sent} messages`);
    }
    await beat(place);
    if (candidate.role() !== "leader")
      violations.push(`the coordinator leads no more: ${place.halts.join("; ")}`);
  }
  for (let round = 0; round < 3; round++) await beat(place);
  const after = theirs(place);
  if (JSON.stringify(after) !== JSON.stringify(before))
    violations.push(
      `what others have was changed: ${JSON.stringify(before)} became ${JSON.stringify(after)}`,
    );
  if (candidate.role() !== "leader" || place.halts.length > 0)
    violations.push(`halted: ${place.halts.join("; ")}`);
  const aside = await place.clock.settle(place.owner().query("set-aside", {}));
  if (!aside.ok) violations.push(`the owner gets no answer: ${aside.refusal.message}`);
  const audit = await place.clock.settle(auditJournal(place.journal()));
  violations.push(...audit.violations.slice(0, 5));
  await place.clock.settle(candidate.stop());
  const heapMiB = Math.round(process.memoryUsage().heapUsed / bytesPerMiB);
  const setAside = aside.ok ? aside.value.messages.reduce((sum, message) => sum + message.count, 0) : 0;
  return { messages: count, answers, setAside, heapMiB, violations };
}

/** The victim's agent, account and a sweep that goes on for ever; an account for the other. */
export async function furnish(place: CandidatePlace): Promise<void> {
  const { clock } = place;
  const bus = place.hub.connect(box);
  const register = { incarnation: `${box}-1`, capability: capability(), policy: openPolicy(1) };
  await clock.settle(bus.request(subjects.register(box), toBytes(register), 1_000));
  const owner = place.owner();
  for (const requester of [victim, mallory])
    await clock.settle(owner.command("account-open", { requester, grant: 1_000_000_000 }));
  const spec = sweepSpec({ name: "long", needs: { agents: { only: [box] } }, reuse: false });
  const body = toBytes({ key: "the-key-of-the-victim", body: { spec } });
  await clock.settle(bus.request(subjects.command("requester", victim, "sweep-run"), body, 1_000));
  await beat(place);
  assert.equal(place.state?.active.size, 1);
}

/** The victim's agent trains on, and time passes. */
async function beat(place: CandidatePlace): Promise<void> {
  const { state } = place;
  assert.ok(state !== null);
  const running = [...(state.held.get(box) ?? [])].map((fence) => ({
    fence,
    resource: 0,
    usedMs: 1,
    suspended: false,
  }));
  const heartbeat = {
    incarnation: `${box}-1`,
    epoch: state.meta.epoch,
    closed: null,
    cpuLoad: 0,
    memFreeGiB: 4,
    running,
    owner: null,
  };
  const bus = place.hub.connect(box);
  bus.publish(subjects.heartbeat(box), toBytes(heartbeat));
  for (const { fence } of running) {
    const reports = [{ id: `${box}.${fence}`, report: { kind: "accepted", fence } }];
    void bus.append(
      streamsOf(placeMesh).inbox,
      subjects.inbox(box),
      toBytes({ incarnation: `${box}-1`, reports }),
    );
  }
  await place.clock.advance(roundMs);
  await bus.close();
}

function knownOf({ state }: CandidatePlace, number: number): Known {
  return { epoch: state?.meta.epoch ?? 1, fences: [...(state?.active.keys() ?? [])], number };
}

/** What nobody but the victim and the owner may change. */
function theirs({ state }: CandidatePlace): unknown {
  assert.ok(state !== null);
  const { granted, refill, requester, sweepCap, weight } =
    state.accounts.get(victim) ?? assert.fail("no account");
  const {
    priority,
    proposed,
    spec,
    state: is,
    weight: share,
  } = state.sweeps.get("s1") ?? assert.fail("no sweep");
  const { cordoned, draining, incarnation, policy, present } =
    state.agents.get(box) ?? assert.fail("no agent");
  return {
    account: { granted, refill, requester, sweepCap, weight },
    sweep: { priority, proposed, spec, is, share },
    agent: { cordoned, draining, incarnation, policy, present },
    // Only an owner opens accounts and grants tokens.
    accounts: [...state.accounts.keys()].sort(),
    mallory: state.accounts.get(mallory)?.granted,
    agents: [...state.agents.keys()].filter((agent) => agent !== evil),
    attempts: state.trials.get("s1-1")?.attempts.length,
  };
}
