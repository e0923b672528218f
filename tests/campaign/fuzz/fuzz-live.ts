/**
 * A real mesh (server, coordinator, an agent), to which a requester, a viewer and another agent with credentials of their own say wrong
 * things over real connections. It must go on, its journal be whole, and the owner's next sweep run to its end.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connectAs } from "../../../mesh/connect.ts";
import { ensureCredential } from "../../../mesh/admission.ts";
import { openHome } from "../../../mesh/home.ts";
import type { Bus } from "../../../protocol/bus/bus.ts";
import { answerSchema } from "../../../protocol/command.ts";
import { fromBytes } from "../../../protocol/json-bytes.ts";
import { streamsOf, subjectsOf } from "../../../protocol/subjects.ts";
import { LiveMesh, valueOf } from "../../support/live-mesh.ts";
import { Draw } from "./draw.ts";
import type { FuzzOptions, FuzzReport } from "./fuzz-loop.ts";
import { agentMessages, personMessages, type Told } from "./message.ts";
import { mutated } from "./mutate.ts";

const [victim, mallory, evil] = ["owner", "mallory", "evil-box"];
const batchMessages = 200;
const answerMs = 5_000;
const serverMessageBytes = 1_048_576;
const sayEvery = 20_000;

interface Speaker {
  readonly bus: Bus;
  readonly messages: (number: number) => readonly Told[];
}

export async function fuzzLive(options: FuzzOptions): Promise<FuzzReport> {
  const mesh = new LiveMesh();
  try {
    await mesh.up("--port", "0", "--slots", "1");
    return await fuzzed(mesh, options);
  } finally {
    await mesh.close();
  }
}

async function fuzzed(mesh: LiveMesh, { count, say, seed }: FuzzOptions): Promise<FuzzReport> {
  await mesh.ok(LiveMesh.home, "account", "open", mallory, "--grant", "1000");
  const home = valueOf(openHome(mesh.homePath(LiveMesh.home)));
  const pid = mesh.partPid("coordinator");
  const subjects = subjectsOf(home.mesh);
  const enter = async (role: "agent" | "requester" | "viewer", name: string) => {
    const credential = valueOf(await ensureCredential(home, role, name, Math.floor(Date.now() / 1_000)));
    return valueOf(await connectAs(home, credential));
  };
  const knownAt = (number: number) => ({ epoch: 1, fences: [1, 2, 3], number });
  const speakers: readonly Speaker[] = [
    { bus: await enter("agent", evil), messages: (number) => agentMessages(subjects, evil, knownAt(number)) },
    ...(await Promise.all(
      (["requester", "viewer"] as const).map(async (role) => {
        const who = role === "viewer" ? `${mallory}-sees` : mallory;
        const messages = (number: number) => personMessages(subjects, role, who, victim, knownAt(number));
        return { bus: await enter(role, who), messages };
      }),
    )),
  ];
  const answers: Record<string, number> = {};
  const violations: string[] = [];
  const draw = new Draw(seed);
  const hear = (data: Uint8Array) => {
    const parsed = answerSchema.safeParse(fromBytes(data));
    const how = !parsed.success ? "unreadable" : parsed.data.ok ? "ok" : parsed.data.refusal.code;
    answers[how] = (answers[how] ?? 0) + 1;
    if (!parsed.success)
      violations.push(`an answer does not parse: ${Buffer.from(data.subarray(0, 200)).toString()}`);
  };
  // In turns: of few messages too some are everybody's.
  for (let sent = 0, turn = 0; sent < count && violations.length === 0; turn++) {
    const { bus, messages } = speakers[turn % speakers.length] ?? draw.of(speakers);
    const all = messages(sent);
    const waits: Promise<unknown>[] = [];
    for (let round = 0; round < batchMessages && sent < count; round++, sent++) {
      const { body, durable, subject } = draw.of(all);
      const data = mutated(body, [victim, mallory, evil, "one", "s1", "s1-1", 1, 2], draw);
      if (data.length >= serverMessageBytes) continue;
      if (durable === true)
        waits.push(bus.append(streamsOf(home.mesh).inbox, subject, data).catch(() => undefined));
      else if (/\.(cmd|query|hello)\./.test(subject))
        waits.push(bus.request(subject, data, answerMs).then(hear, () => undefined));
      else bus.publish(subject, data);
      if (sent % sayEvery === 0 && sent > 0) say(`${sent} messages`);
    }
    await Promise.all(waits);
  }
  for (const { bus } of speakers) await bus.close();
  if (mesh.partPid("coordinator") !== pid) violations.push("the coordinator was started again");
  const view = await mesh.mesh();
  const owned = view.agents.find(({ agent }) => agent === "one");
  if (owned?.state !== "present") violations.push(`the owner's agent is ${owned?.state ?? "gone"}`);
  const budget = valueOf(await mesh.client.query("budget", {}));
  if (budget.accounts.length !== 2) violations.push(`there are ${budget.accounts.length} accounts, not 2`);
  for (const { agent } of view.agents) if (agent !== "one") await mesh.cordon(agent, true);
  const done = await mesh.submit({ name: "after", trials: 2, epochs: 1, milliseconds: 1, seed: 1 });
  assert.equal((await mesh.ended(done)).summary.state, "done");
  const audit = await mesh.audit();
  violations.push(...audit.violations.slice(0, 5));
  const aside = valueOf(await mesh.client.query("set-aside", {}));
  const setAside = aside.messages.reduce((sum, message) => sum + message.count, 0);
  const doctor = await mesh.cli.run(LiveMesh.home, "doctor");
  if (!doctor.out.includes("could not be processed and were set aside; the last, a "))
    violations.push(`doctor does not tell of what was set aside: ${doctor.out}`);
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const heapMiB = Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1_024);
  return { messages: count, answers, setAside, heapMiB, violations };
}
