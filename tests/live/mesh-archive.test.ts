/** Curves and logs a year later: the streams have let go of everything, coordinators were killed on the way, and all of it is shown as before. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openHome } from "../../mesh/home.ts";
import { streamsOf } from "../../protocol/subjects.ts";
import type { HistoryView } from "../../protocol/view.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { streamAdministrator } from "../support/stream-administrator.ts";
import { until } from "../support/until.ts";

const script =
  'i=0\nwhile [ $i -lt 30 ]; do i=$((i+1)); echo "step $i of $1"; done\necho "broken" >&2\necho "score=${1#*=}"\n';

describe("archives on a live mesh", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh();
  let second: CliProcess;
  before(async () => {
    await mesh.up("--port", "0", "--slots", "4", "--programs", "any");
    second = mesh.start("second", ...(await mesh.invite("coordinator", "second")));
    await second.saidLine(/coordinator second of mesh mesh connected/);
  });
  after(() => mesh.close());

  async function runProgram(): Promise<string> {
    const folder = join(mesh.cli.folder, "writes");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "train.sh"), script);
    const file = join(folder, "sweep.yaml");
    writeFileSync(
      file,
      'name: writes\ncommand: [sh, train.sh, "${args}"]\nobjective: {metric: score, goal: maximize}\nsearch: {method: random, trials: 6, seed: 1}\nparameters: {x: {distribution: uniform, min: 0, max: 1}}\n',
    );
    return (await mesh.ok("one", "sweep", "run", file, "--detach")).out.trim();
  }

  /** As whoever asks sees it; a coordinator that has just been killed answers later. */
  async function shown(sweep: string) {
    const { trials } = await mesh.sweep(sweep);
    const ids = trials.map(({ trial }) => trial);
    const answered = <T>(ask: () => Promise<{ ok: true; value: T } | { ok: false }>) =>
      until("an answer", async (note) => {
        const answer = await ask();
        note(answer);
        return answer.ok ? answer.value : null;
      });
    const found = [];
    for (const trial of ids) {
      const { points } = await answered(() => mesh.client.query("curve", { trial }));
      const { lines } = await answered(() => mesh.client.query("logs", { trial, limit: 1_000 }));
      found.push({ trial, points, lines });
    }
    const history: HistoryView["points"] = [];
    for (let after: HistoryView["next"] = null; ;) {
      const asked: HistoryView["next"] = after;
      const page: HistoryView = await answered(() =>
        mesh.client.query("history", { trials: ids, after: asked }),
      );
      history.push(...page.points);
      if (page.next === null) return { found, history };
      after = page.next;
    }
  }

  const archived = () =>
    until(
      "all that has ended to be archived",
      async (note) => {
        const { state } = await mesh.audit();
        note([...state.unarchived]);
        return state.unarchived.size === 0 && state.archives.size > 0 ? state : null;
      },
      60_000,
    );

  test("ARCHIVE-6: killed on the way, archived all the same, and shown when the streams have nothing any more", async () => {
    const noop = await mesh.submit({ name: "curves", trials: 40, epochs: 6, milliseconds: 5, seed: 1 });
    const program = await runProgram();
    for (const sweep of [noop, program]) await mesh.ended(sweep);
    const before = [await shown(noop), await shown(program)];
    assert.equal(before[0]?.history.length, 240);
    assert.ok(before[1]?.found.every(({ lines }) => lines.length >= 31));
    const text = (await mesh.ok("one", "trial", "logs", `${program}-1`, "--times")).out;

    // Somewhere between reading, storing and telling.
    for (const waitMs of [300, 900, 1_700]) {
      await sleep(waitMs);
      process.kill(mesh.partPid("coordinator"), "SIGKILL");
      await mesh.coordinatorConnected();
    }
    const state = await archived();
    assert.ok([...state.archives.values()].some(({ logs }) => logs !== undefined));

    const administrator = await streamAdministrator(valueOf(openHome(mesh.homePath(LiveMesh.home))));
    const { logs, metrics } = streamsOf("mesh");
    for (const stream of [metrics, logs]) await administrator.emptyStream(stream);
    await administrator.close();
    assert.deepEqual([await shown(noop), await shown(program)], before);
    assert.equal((await mesh.ok("one", "trial", "logs", `${program}-1`, "--times")).out, text);

    // Whoever leads next knows where they are, too.
    const { epoch } = await mesh.mesh();
    process.kill(
      (await mesh.mesh()).leader === "second" ? second.pid : mesh.partPid("coordinator"),
      "SIGKILL",
    );
    await until("another leader", async () => ((await mesh.mesh()).epoch > epoch ? true : null));
    assert.deepEqual([await shown(noop), await shown(program)], before);
    assert.deepEqual((await mesh.audit()).violations, []);
  });
});
