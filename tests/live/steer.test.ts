/** Sweeps and trials steered on a live mesh, by the command line: what stands still, what goes on, what is said. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { milliTokensPerToken } from "../../protocol/token.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import { skipWithoutNats } from "../support/nats-server.ts";
import { until } from "../support/until.ts";

const epochMs = 100;
const grant = 500 * milliTokensPerToken;

describe("steering what runs", { skip: skipWithoutNats }, () => {
  const mesh = new LiveMesh(6_000);
  let seed = 100;

  before(async () => {
    await mesh.up("--port", "0", "--slots", "2", "--programs", "any");
    const { client } = await mesh.person("owner");
    valueOf(await client.command("account-open", { requester: "ada", weight: 1, grant }));
    await mesh.person("ada");
  });
  after(() => mesh.close());

  const launch = async (trials: number, epochs: number, more = "") => {
    const name = `steered-${++seed}`;
    const options = { name, trials, epochs, milliseconds: epochMs, seed, more };
    return valueOf(await mesh.launch("ada", options));
  };
  const running = (sweep: string) =>
    mesh.trialThat(sweep, "a trial at work", ({ resource, state }) => state === "running" && resource > 0);
  const noneRuns = (sweep: string) =>
    until(`${sweep} to stand still`, async () => {
      const { summary } = await mesh.sweep(sweep);
      return summary.counts.running === 0 ? summary : null;
    });
  const audited = async () => {
    const { state, violations } = await mesh.audit();
    assert.deepEqual(violations, []);
    return state;
  };

  test("PAUSE-2: paused at once, a sweep stands still, through a coordinator's end too, and goes on from its checkpoints", async () => {
    const sweep = await launch(4, 60);
    const { trial } = await running(sweep);
    const { out } = await mesh.ok("one", "sweep", "pause", sweep, "--now", "--why", "lunch", "--as", "ada");
    assert.equal(out, `${sweep} is paused: 2 trials leave at their next checkpoint\n`);
    const still = await noneRuns(sweep);
    assert.deepEqual([still.state, still.waiting, still.pending], ["paused", "paused by ada: lunch", 0]);

    const dead = mesh.partPid("coordinator");
    process.kill(dead, "SIGKILL");
    await mesh.startedAgain("coordinator", dead);
    await mesh.coordinatorConnected();
    const { summary } = await mesh.sweep(sweep);
    assert.equal(summary.state, "paused");
    assert.match((await mesh.ok("one", "sweep", "ls")).out, /steered-\d+ +ada +paused/);
    assert.match(
      (await mesh.ok("one", "sweep", "why", sweep)).out,
      /It is paused by ada: lunch; .*sweep resume/,
    );
    assert.equal(
      await mesh.refused("one", "sweep", "pause", sweep, "--now"),
      `trialmesh: ${sweep} is paused already, by ada; \`trialmesh sweep resume ${sweep}\` lets it go on`,
    );

    await mesh.ok("one", "sweep", "resume", sweep);
    const { trials } = await mesh.ended(sweep);
    assert.ok(trials.every(({ state }) => state === "completed"));
    const [first, next] = trials.find((one) => one.trial === trial)?.attempts ?? [];
    assert.ok(
      first !== undefined && next !== undefined && next.fromResource > 0,
      "it went on from its checkpoint",
    );
    assert.equal(first.ending, `stopped: ${sweep} was paused by ada`);
    await audited();
  });

  test("PAUSE-1: paused gently, what runs comes to its end, and what waits stays where it is", async () => {
    const sweep = await launch(4, 50);
    await running(sweep);
    await mesh.ok("one", "sweep", "pause", sweep);
    const still = await noneRuns(sweep);
    assert.deepEqual([still.state, still.counts.completed], ["paused", 2]);
    await mesh.ok("one", "sweep", "resume", sweep);
    assert.equal((await mesh.ended(sweep)).summary.counts.completed, 4);
    await audited();
  });

  test("STOP-1: trials are stopped by the command line, the one that runs and the one that waits; the same sweep again runs them", async () => {
    const sweep = await launch(4, 60);
    const { trial } = await running(sweep);
    const waiting = await mesh.trialThat(sweep, "one that waits", ({ state }) => state === "queued");
    const { out } = await mesh.ok(
      "one",
      "trial",
      "stop",
      trial,
      waiting.trial,
      "--why",
      "diverged",
      "--as",
      "ada",
    );
    assert.equal(
      out,
      `${trial} ends as soon as its agent hears of it; what it has measured is kept\n${waiting.trial} is stopped; what it has measured is kept\n`,
    );
    const { trials } = await mesh.ended(sweep);
    const stopped = trials.filter(({ state }) => state === "stopped");
    assert.deepEqual(stopped.map((one) => one.trial).toSorted(), [trial, waiting.trial].toSorted());
    for (const { failure } of stopped) assert.equal(failure, "stopped by ada: diverged");
    const [ran] = stopped.filter((one) => one.trial === trial);
    assert.ok(ran !== undefined && ran.spent > 0 && ran.resource > 0, "charged for its work, which is kept");
    assert.ok(Object.keys(ran.metrics).length > 0, "with its metrics");
    assert.match((await mesh.ok("one", "trial", "show", trial)).out, /^state +stopped by ada: diverged$/m);
    assert.equal(
      await mesh.refused("one", "trial", "stop", trial),
      `trialmesh: ${trial} has ended already: stopped`,
    );
    await audited();
  });

  test("EXTEND-1: a sweep that has ended goes on by the command line, and its end is the end of all", async () => {
    const sweep = await launch(2, 3);
    await mesh.ended(sweep);
    const { out } = await mesh.ok("one", "sweep", "extend", sweep, "--trials", "2", "--as", "ada");
    assert.equal(out, `${sweep} had ended and goes on: 2 trials to come, 4 in all\n`);
    const { summary } = await mesh.ended(sweep);
    assert.deepEqual([summary.state, summary.counts.completed, summary.total], ["done", 4, 4]);
    assert.match(
      await mesh.refused("one", "sweep", "extend", sweep, "--tokens", "5"),
      /has ended, and tokens alone/,
    );
    const nothing = await mesh.cli.run("one", "sweep", "extend", sweep);
    assert.equal(nothing.code, 2);
    assert.match(nothing.err, /give --trials or --tokens/);
    await audited();
  });

  test("WATCH-1: whoever watches sees what `sweep run` shows, leaves the sweep alone on ctrl-c, and sees its end", async () => {
    const sweep = await launch(4, 40);
    const watching = mesh.start("one", "sweep", "watch", sweep);
    await watching.saidLine(/0\/4 trials finished, 2 running/);
    assert.equal(await watching.end("SIGINT"), 130);
    assert.match(
      watching.said,
      new RegExp(`^detached: ${sweep} goes on without this command; .*sweep watch ${sweep}`, "m"),
    );
    assert.equal((await mesh.sweep(sweep)).summary.finishedAt, null);
    const { err, out } = await mesh.ok("one", "sweep", "watch", sweep, "--as", "ada");
    assert.match(err, /4\/4 trials finished/);
    assert.match(out, /BEST +TRIAL[\s\S]*best model: noop of s\d+-\d/);
    assert.match((await mesh.ok("one", "sweep", "watch", sweep, "--json")).out, /"state": "done"/);
    assert.match(await mesh.refused("one", "sweep", "watch", "s99"), /there is no sweep s99/);
  });

  test("TAG-1: tags and notes are written by the command line, found by it, and outlive the coordinator", async () => {
    const [sweep, other] = [await launch(1, 1), await launch(1, 1)];
    await Promise.all([mesh.ended(sweep), mesh.ended(other)]);
    assert.equal(
      (await mesh.ok("one", "sweep", "tag", sweep, "+baseline", "+good", "--as", "ada")).out,
      `${sweep} is tagged baseline, good\n`,
    );
    assert.equal((await mesh.ok("one", "sweep", "tag", sweep, "-good")).out, `${sweep} is tagged baseline\n`);
    await mesh.ok("one", "sweep", "note", sweep, "worth a look");
    await mesh.ok("one", "trial", "tag", `${sweep}-1`, "+keep");
    const dead = mesh.partPid("coordinator");
    process.kill(dead, "SIGKILL");
    await mesh.startedAgain("coordinator", dead);
    await mesh.coordinatorConnected();
    const { summary, trials } = await mesh.sweep(sweep);
    assert.deepEqual(
      [summary.tags, summary.notes, trials[0]?.tags],
      [["baseline"], "worth a look", ["keep"]],
    );
    const { out } = await mesh.ok("one", "sweep", "ls", "--tag", "baseline");
    assert.match(out, new RegExp(`^${sweep} .* baseline$`, "m"));
    assert.doesNotMatch(out, new RegExp(`^${other} `, "m"));
    assert.match(
      (await mesh.ok("one", "sweep", "ls", "--tag", "unheard")).out,
      /no sweep has the tag unheard/,
    );
    await audited();
  });

  test("LOG-2: the log of a program is followed from before it begins to its end, with times", async () => {
    const folder = join(mesh.cli.folder, "talk");
    mkdirSync(folder);
    writeFileSync(
      join(folder, "talk.sh"),
      "for n in 1 2 3 4; do echo said $n; sleep 0.7; done; echo score=1\n",
    );
    const file = join(folder, "sweep.yaml");
    writeFileSync(
      file,
      'name: talk\ncommand: [sh, talk.sh, "${args}"]\nobjective: {metric: score, goal: maximize}\nparameters: {x: {values: [1]}}\nsearch: {trials: 1}\n',
    );
    await mesh.cordon("one", true);
    const sweep = (await mesh.ok("one", "sweep", "run", file, "--detach")).out.trim();
    await mesh.trialThat(sweep, "its trial", ({ state }) => state === "queued");
    const from = Date.now();
    const following = mesh.start("one", "trial", "logs", `${sweep}-1`, "-f", "--times");
    await mesh.cordon("one", false);
    await following.saidLine(/said 1/);
    assert.equal(following.isOver, false);
    assert.equal(await following.ended, 0);
    const found = [...following.said.matchAll(/^(\S+Z) \d+ out \| said (\d)$/gm)];
    assert.deepEqual(
      found.map(([, , n]) => n),
      ["1", "2", "3", "4"],
    );
    const times = found.map(([, time = ""]) => Date.parse(time));
    assert.ok(
      times.every((time) => time >= from - 1_000 && time <= Date.now() + 1_000),
      times.join(),
    );
    for (const [index, time] of times.entries())
      if (index > 0) assert.ok(time - (times[index - 1] ?? 0) >= 500, "as far apart as they were written");
    assert.match(following.said, new RegExp(`${sweep}-1 has ended: completed`));
  });

  test("REMOVE-1: a sweep is removed and restored by the command line, and in between its work is done anew", async () => {
    const options = { name: "removed", trials: 2, epochs: 2, milliseconds: epochMs, seed: 990 };
    const again = async () => mesh.ended(valueOf(await mesh.launch("ada", options)));
    const { summary } = await again();
    assert.match(
      (await mesh.ok("one", "sweep", "rm", summary.sweep, "--as", "ada")).out,
      /is removed: 2 trials for [\d.]+ tokens answer for nothing more; its best is kept for a while, and `trialmesh sweep restore s\d+`/,
    );
    assert.doesNotMatch((await mesh.ok("one", "sweep", "ls")).out, new RegExp(`^${summary.sweep} `, "m"));
    assert.match(
      (await mesh.ok("one", "sweep", "ls", "--all")).out,
      new RegExp(`^${summary.sweep} .* done, removed `, "m"),
    );
    assert.match((await mesh.ok("one", "sweep", "show", summary.sweep)).out, /^removed +by ada /m);
    assert.equal((await again()).summary.counts.reused, 0);
    await mesh.ok("one", "sweep", "restore", summary.sweep);
    const third = await again();
    assert.equal(third.summary.counts.reused, 2);
    const second = third.trials[0]?.reusedFrom?.split("-")[0] ?? "";
    assert.match(
      await mesh.refused("one", "sweep", "rm", second),
      new RegExp(`on ${second} stands 2 trials of ${third.summary.sweep} answered from it; .*--force`),
    );
    await mesh.ok("one", "sweep", "rm", second, "--force");
    await audited();
  });

  test("STOP-1: a program that is stopped keeps what it has measured, though it saves nothing", async () => {
    const folder = join(mesh.cli.folder, "measure");
    mkdirSync(folder);
    writeFileSync(join(folder, "measure.sh"), "echo score=0.25; sleep 600\n");
    const file = join(folder, "sweep.yaml");
    writeFileSync(
      file,
      'name: measure\ncommand: [sh, measure.sh, "${args}"]\nobjective: {metric: score, goal: maximize}\nparameters: {x: {values: [1]}}\nsearch: {trials: 1}\n',
    );
    const sweep = (await mesh.ok("one", "sweep", "run", file, "--detach")).out.trim();
    const trial = `${sweep}-1`;
    await until("its first figure", async () => {
      // Its search has to propose it first.
      const curve = await mesh.client.query("curve", { trial });
      return curve.ok && curve.value.points.length > 0 ? curve : null;
    });
    await mesh.ok("one", "trial", "stop", trial);
    const { trials } = await mesh.ended(sweep);
    assert.deepEqual(
      [trials[0]?.state, trials[0]?.metrics, trials[0]?.value],
      ["stopped", { score: 0.25 }, null],
    );
    await audited();
  });
});
