/**
 * What a person's program makes of answers that no coordinator of ours would give: of each query it has a value of the right shape
 * or a refusal in one sentence, and never throws. The answers are those of a coordinator in memory, made wrong.
 */
import { answerBytesMax } from "../../../coordinator/view/fit-answer.ts";
import { querySchemas, type QueryName } from "../../../protocol/command.ts";
import { fromBytes, toBytes } from "../../../protocol/json-bytes.ts";
import { coordinatorPatterns, senderOf, subjectsOf } from "../../../protocol/subjects.ts";
import { openClient } from "../../../protocol/client.ts";
import { queryValues } from "../../../protocol/view.ts";
import { MemoryHub } from "../../support/bus/memory-hub.ts";
import { CandidatePlace, placeMesh } from "../../support/candidate-place.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";
import { Draw } from "./draw.ts";
import { furnish, type FuzzOptions, type FuzzReport } from "./fuzz-loop.ts";
import { personMessages } from "./message.ts";
import { mutated } from "./mutate.ts";

const leadingMs = 20_000;
const atOnce = 100;
const sayEvery = 50_000;
const bytesPerMiB = 1_048_576;

export async function fuzzClient({ count, say, seed }: FuzzOptions): Promise<FuzzReport> {
  const right = await rightAnswers();
  const names = [...right.keys()];
  const clock = new VirtualClock();
  const hub = new MemoryHub({ clock, seed });
  const draw = new Draw(seed);
  hub.connect("coordinator").subscribe(coordinatorPatterns(placeMesh).queries, (message) => {
    const { name } = senderOf(message.subject);
    const answer = isQuery(name) ? (right.get(name) ?? null) : null;
    message.respond(mutated(answer, ["victim", "s1", 1], draw).subarray(0, answerBytesMax));
  });
  const client = openClient({
    mesh: placeMesh,
    role: "owner",
    who: "owner",
    bus: hub.connect("owner"),
    clock,
    newKey: () => "the-same-key-always",
    patienceMs: 1_000,
  });
  const answers: Record<string, number> = {};
  const violations: string[] = [];
  const ask = async (name: QueryName): Promise<void> => {
    try {
      const answer = await client.query(name, {});
      const how = answer.ok ? "ok" : answer.refusal.code;
      answers[how] = (answers[how] ?? 0) + 1;
      if (answer.ok && !queryValues[name].safeParse(answer.value).success)
        violations.push(`an answer to ${name} of another shape was taken`);
      if (!answer.ok && answer.refusal.message === "") violations.push(`${name} is refused without a word`);
    } catch (error) {
      violations.push(`${name} throws ${String(error)}`);
    }
  };
  for (let sent = 0; sent < count && violations.length === 0; sent += atOnce) {
    const round = Array.from({ length: Math.min(atOnce, count - sent) }, () => ask(draw.of(names)));
    await clock.settle(Promise.all(round));
    if (sent % sayEvery === 0 && sent > 0) say(`${sent} answers`);
  }
  const heapMiB = Math.round(process.memoryUsage().heapUsed / bytesPerMiB);
  return { messages: count, answers, setAside: 0, heapMiB, violations };
}

/** By query, what a coordinator answers, as it travels. */
async function rightAnswers(): Promise<ReadonlyMap<QueryName, unknown>> {
  const place = new CandidatePlace();
  await place.streams();
  const candidate = place.start();
  await place.clock.advance(leadingMs);
  await furnish(place);
  const subjects = subjectsOf(placeMesh);
  const bus = place.hub.connect("reader");
  const asked = personMessages(subjects, "requester", "mallory", "victim", {
    epoch: 1,
    fences: [1],
    number: 1,
  });
  const right = new Map<QueryName, unknown>();
  for (const { body, subject } of asked) {
    const { name } = senderOf(subject);
    if (!isQuery(name) || !subject.includes(".query.")) continue;
    right.set(name, fromBytes(await place.clock.settle(bus.request(subject, toBytes(body), 1_000))));
  }
  await place.clock.settle(candidate.stop());
  return right;
}

function isQuery(name: string): name is QueryName {
  return Object.hasOwn(querySchemas, name);
}
