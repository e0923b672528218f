/**
 * What a golden home has lived through: one short chapter for each thing that leaves its own traces in journal, stores and
 * streams. Each ends when what it is about has happened. Nothing is judged here; that is for the maker and the tests.
 */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/until.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";
import * as sweepFile from "./history-file.ts";
import { Scene } from "./scene.ts";

const tokens = 1_000;

export class History {
  readonly #mesh: LiveMesh;
  readonly #scene: Scene;

  constructor(mesh: LiveMesh) {
    this.#mesh = mesh;
    this.#scene = new Scene(mesh);
  }

  async live(say: (chapter: string) => void): Promise<void> {
    const chapters: readonly [string, () => Promise<unknown>][] = [
      ["accounts are opened, set and granted", () => this.#accounts()],
      ["people are invited, and one revoked", () => this.#people()],
      ["datasets are added and checked", () => this.#datasets()],
      ["a model is registered, again, promoted and rolled back", () => this.#registry()],
      ["every way to search and to stop", () => this.#searches()],
      ["a program, and points from outside", () => this.#others()],
      ["what is stopped, and what fails", () => this.#ends()],
      ["agents are lost, late and withheld", () => this.#agents()],
      ["somebody makes room for another", () => this.#preempted()],
      ["the coordinator is killed", () => this.#coordinator()],
      ["an account is refilled", () => this.#refill()],
      ["what waits when the mesh is left", () => this.#unfinished()],
    ];
    for (const [chapter, happens] of chapters) {
      say(chapter);
      await happens();
    }
  }

  async end(): Promise<void> {
    await this.#scene.endTwo();
  }

  async #accounts(): Promise<void> {
    const { client } = await this.#mesh.person("owner");
    valueOf(await client.command("account-open", { requester: "team-a", weight: 1, grant: 12 * tokens }));
    valueOf(
      await client.command("budget-grant", { requester: "team-a", amount: 3 * tokens, note: "for March" }),
    );
    const refill = { amount: tokens, everyMs: 60_000, upTo: 30 * tokens };
    const sweepCap = 40 * tokens;
    valueOf(await client.command("account-set", { requester: "team-a", weight: 2, refill, sweepCap }));
    // Never due while the history is made, long due whenever the home is opened.
    const hourly = { amount: 5 * tokens, everyMs: 3_600_000, upTo: 2_000_000 * tokens };
    valueOf(await client.command("account-set", { requester: "owner", refill: hourly }));
  }

  async #people(): Promise<void> {
    await this.#mesh.invite("requester", "bob");
    await this.#mesh.invite("viewer", "vera");
    await this.#mesh.ok(LiveMesh.home, "revoke", "bob");
    await this.#mesh.person("team-a");
  }

  async #datasets(): Promise<void> {
    const add = (name: string, text: string) =>
      this.#mesh.cli.run(LiveMesh.home, "dataset", "add", this.#mesh.cli.write(`${name}.yaml`, text));
    this.#mesh.cli.write("tastes.csv", sweepFile.tasteRows());
    this.#mesh.cli.write("weights.csv", sweepFile.weightRows());
    for (const check of ["", "expect: [no-conflicts, { rows: { min: 100000, severity: warn } }]\n"])
      assert.equal((await add("tastes", sweepFile.tasteDataset(check))).code, 0);
    const heavy = await add("weights", sweepFile.weightDataset("expect: [{ rows: { min: 100000 } }]\n"));
    assert.equal(heavy.code, 1, "added, and its check says so");
    assert.match(heavy.err + heavy.out, /expectation/);
  }

  async #registry(): Promise<void> {
    const { client } = await this.#mesh.person("owner");
    await this.#scene.run(sweepFile.tasteSweep("first", 1));
    await this.#scene.run(sweepFile.tasteSweep("second", 2));
    await this.#scene.run(sweepFile.tasteSweep("first", 1), "team-a");
    const why = "known for long";
    valueOf(await client.command("model-promote", { model: "tastes", version: 1, alias: "stable", why }));
    const rollback = { model: "tastes", alias: "champion", to: null, why: "too sour" };
    valueOf(await client.command("model-rollback", rollback));
    await this.#scene.run(sweepFile.weightSweep());
  }

  async #searches(): Promise<void> {
    for (const text of [...sweepFile.searchSweeps(), ...sweepFile.longerSweeps()])
      await this.#scene.run(text);
    const sweeps = [];
    for (const text of sweepFile.stoppingSweeps()) sweeps.push(await this.#scene.launch(text, "team-a"));
    for (const sweep of sweeps) await this.#mesh.ended(sweep);
  }

  async #others(): Promise<void> {
    const { client } = await this.#mesh.person("owner");
    // A program travels with its folder: one of its own.
    mkdirSync(join(this.#mesh.cli.folder, "program"));
    this.#mesh.cli.write("program/score.sh", sweepFile.scoreScript);
    await this.#scene.run(sweepFile.programSweep(), "owner", "program/sweep.yaml");
    const sweep = await this.#scene.launch(sweepFile.outsideSweep());
    for (const x of [0.2, 0.6])
      valueOf(
        await client.command("trial-propose", { sweep, model: "noop", params: { x, milliseconds: 0 } }),
      );
    valueOf(await client.command("sweep-tune", { sweep, weight: 3, priority: 5 }));
    valueOf(await client.command("sweep-seal", { sweep }));
    await this.#mesh.ended(sweep);
  }

  async #ends(): Promise<void> {
    const { client } = await this.#mesh.person("owner");
    const sweep = await this.#scene.launch(
      sweepFile.noop("halted", { trials: 3, max: 40, milliseconds: 250 }),
    );
    await this.#mesh.trialThat(sweep, "a checkpoint", ({ resource }) => resource > 0);
    valueOf(await client.command("sweep-stop", { sweep, why: "seen enough" }));
    await this.#mesh.ended(sweep);
    await this.#scene.run(
      sweepFile.noop("failing", { trials: 2, max: 3, milliseconds: 0, more: "failAtEpoch: 2" }),
    );
  }

  async #agents(): Promise<void> {
    const { client } = await this.#mesh.person("owner");
    const long = (name: string) => sweepFile.noop(name, { trials: 3, max: 16, milliseconds: 250 });
    const two = await this.#scene.startTwo();
    const lost = await this.#scene.launch(long("lost"));
    await this.#scene.heldByTwo(lost);
    await two.end("SIGKILL");
    await this.#mesh.ended(lost);

    const back = await this.#scene.startTwo();
    const late = await this.#scene.launch(long("late"));
    const held = await this.#scene.heldByTwo(late);
    this.#mesh.pause(back.pid);
    await this.#mesh.trialThat(late, "a second attempt", ({ attempts, trial }) => {
      return trial === held.trial && attempts.length > 1;
    });
    this.#mesh.goOn();
    await this.#mesh.ended(late);
    await this.#mesh.agentThat("two", ({ state }) => state === "present");

    const drained = await this.#scene.launch(long("drained"));
    await this.#scene.heldByTwo(drained);
    valueOf(await client.command("agent-drain", { agent: "two", drain: true }));
    await this.#mesh.ended(drained);
    valueOf(await client.command("agent-drain", { agent: "two", drain: false }));
    valueOf(await client.command("agent-cordon", { agent: "two", cordon: true }));
    valueOf(await client.command("agent-cordon", { agent: "two", cordon: false }));
    await back.end();
    const closed = await this.#scene.startTwo("--hours", sweepFile.otherHours(new Date()));
    await this.#mesh.agentThat("two", ({ state }) => state === "closed");
    await closed.end();
    await this.#scene.startTwo("--hours", "always");
    await this.#mesh.agentThat("two", ({ state }) => state === "present");
  }

  async #preempted(): Promise<void> {
    const { client } = await this.#mesh.person("owner");
    const greedy = await this.#scene.launch(
      sweepFile.noop("greedy", { trials: 3, max: 90, milliseconds: 250 }),
    );
    await this.#mesh.trialThat(
      greedy,
      "all to run",
      ({ number, state }) => number === 3 && state === "running",
    );
    const modest = sweepFile.noop("modest", { trials: 1, max: 1, milliseconds: 250 });
    await this.#scene.run(modest, "team-a");
    await this.#mesh.trialThat(greedy, "one to have made room", ({ attempts }) =>
      attempts.some(({ ending }) => ending?.includes("made room") === true),
    );
    valueOf(await client.command("sweep-stop", { sweep: greedy, why: "it has shown what it was for" }));
    await this.#mesh.ended(greedy);
  }

  async #coordinator(): Promise<void> {
    const sweep = await this.#scene.launch(sweepFile.noop("led", { trials: 4, max: 8, milliseconds: 250 }));
    await this.#mesh.trialThat(sweep, "a running trial", ({ state }) => state === "running");
    const { epoch } = await this.#mesh.mesh();
    process.kill(this.#mesh.partPid("coordinator"), "SIGKILL");
    await until("another term", async () => ((await this.#mesh.mesh()).epoch > epoch ? true : null));
    await this.#mesh.ended(sweep);
  }

  async #refill(): Promise<void> {
    const { client } = await this.#mesh.person("owner");
    await until("a refill of team-a", async () => {
      const { accounts } = valueOf(await client.query("budget", { requester: "team-a", lines: 5_000 }));
      return accounts[0]?.lines.some(({ kind }) => kind === "refill") === true ? true : null;
    });
    valueOf(await client.command("account-set", { requester: "team-a", refill: null }));
  }

  /** One sweep out of tokens, one whose machine is away, one half judged with its points still to come. */
  async #unfinished(): Promise<void> {
    const { client } = await this.#mesh.person("owner");
    const outside = await this.#scene.launch(sweepFile.pausedSweep());
    for (const lr of [0.2, 0.3, 0.4]) {
      const params = { lr, bucketBits: 10 };
      valueOf(await client.command("trial-propose", { sweep: outside, model: "linear", params }));
    }
    await this.#mesh.trialThat(outside, "a paused trial", ({ state }) => state === "paused");
    await until("every trial judged", async () => {
      const { counts } = (await this.#mesh.sweep(outside)).summary;
      return counts.running + counts.queued === 0 ? true : null;
    });

    const attic = await this.#scene.launch(sweepFile.atticSweep());
    await this.#scene.heldByTwo(attic);
    valueOf(await client.command("agent-drain", { agent: "two", drain: true }));
    await this.#mesh.trialThat(
      attic,
      "it to wait",
      ({ resource, state }) => state === "queued" && resource > 0,
    );
    await this.#scene.endTwo();

    const broke = await this.#scene.launch(sweepFile.brokeSweep(), "team-a");
    await until("team-a to have nothing left", async () => {
      const { summary, trials } = await this.#mesh.sweep(broke);
      const { counts, state, waiting } = summary;
      if (state !== "waiting" || counts.running > 0) return null;
      assert.match(waiting ?? "", /tokens/);
      return trials.some((trial) => trial.state === "queued" && trial.resource > 0) ? true : null;
    });
  }
}
