// Somebody who deploys: trains a model twice, has the mesh answer with it, and during the storm wants more or fewer replicas, moves the alias,
// stops it and opens it anew, with tokens that may run dry. In the calm all of it must answer as it is wanted.
import type { MeshClient } from "../../protocol/client.ts";
import type { CommandBody, CommandName } from "../../protocol/command.ts";
import type { DeploymentView } from "../../protocol/deployment-view.ts";
import type { Outcome } from "../../protocol/refusal.ts";
import { sleep } from "../../protocol/time/clock.ts";
import { randomStream, type RandomStream } from "../../search/space/random-stream.ts";
import { sweepSpecSchema } from "../../protocol/sweep.ts";
import type { World } from "./world.ts";

const who = "dora";
const deployment = "answers";
const model = "served";
const minuteMs = 60_000;
const calmLimitMs = 30 * minuteMs;
const versions = 2;

export class Deployer {
  /** Sweeps that are asked for to have versions to deploy. */
  readonly sweeps = versions;
  readonly #world: World;
  readonly #owner: MeshClient;
  readonly #client: MeshClient;
  /** Its own, so that what happens without deployments happens as before. */
  readonly #random: RandomStream;
  #open = 0;
  #isOver = false;
  #isDeployed = false;

  /** Null where nobody deploys in this run. */
  static for(world: World, owner: MeshClient, seed: number): Deployer | null {
    const random = randomStream(seed, "deployer", 0);
    return random.next() < 0.5 ? new Deployer(world, owner, random) : null;
  }

  private constructor(world: World, owner: MeshClient, random: RandomStream) {
    this.#world = world;
    this.#owner = owner;
    this.#client = world.client("requester", who);
    this.#random = random;
  }

  start(stormMs: number): void {
    const weight = this.#between(1, 4);
    const grant = this.#random.next() < 0.5 ? this.#between(20_000, 90_000) : 5_000_000;
    // A sweep would open it with nothing in it.
    const opened = this.#owner.command("account-open", { requester: who, weight, grant });
    for (let seed = 1; seed <= versions; seed++) this.#count(opened.then(() => this.#train(seed)));
    this.#count(opened.then(() => this.#deploy()));
    const count = this.#between(2, 8);
    for (let index = 0; index < count; index++) this.#plan(this.#between(20_000, stormMs - 10_000));
  }

  /** After the storm: it has what it needs. Resolves when it answers as it is wanted; what does not is a violation. */
  async settle(): Promise<void> {
    const { clock, violations } = this.#world;
    this.#isOver = true;
    for (let waited = 0; this.#open > 0 && waited < 20 * minuteMs; waited += 1_000)
      await clock.advance(1_000);
    await this.#asked(this.#owner, "account-set", { requester: who, sweepCap: null });
    await this.#asked(this.#owner, "budget-grant", { requester: who, amount: 1_000_000_000 });
    if (!this.#isDeployed) return;
    const set = await this.#asked(this.#client, "deploy-set", { deployment, model, version: "champion" });
    if (set === null || !set.ok) {
      violations.push(`LIVE-3: ${set === null ? "nobody answers" : set.refusal.message}`);
      return;
    }
    let view: DeploymentView | null = null;
    for (let waited = 0; waited < calmLimitMs; waited += 5_000) {
      view = await this.#look();
      if (view !== null && isWhole(view)) break;
      await clock.advance(5_000);
      for (const agent of this.#world.liars)
        void this.#owner.command("agent-cordon", { agent, cordon: false }).catch(() => null);
    }
    if (view === null || !isWhole(view))
      violations.push(`LIVE-3: it never became whole: ${JSON.stringify(view)}`);
    await this.#asked(this.#client, "deploy-stop", { deployment, why: "" });
  }

  async #train(seed: number): Promise<void> {
    const spec = sweepSpecSchema.parse({
      ...{
        name: `served-${seed}`,
        task: "simulated",
        dataset: null,
        needs: {},
        cap: null,
        beyondBudget: true,
      },
      objective: { metric: "accuracy", goal: "maximize" },
      search: { method: "random", trials: 3, seed },
      stopping: { policy: "none", max: 1 },
      models: [{ model: "alpha", space: { lr: { distribution: "uniform", min: 0, max: 1 } } }],
      ...{ priority: 5, trialSeed: seed, codeVersion: "sim", reuse: false },
      register: { model, alias: "champion", move: "always" },
    });
    while (!this.#isOver) {
      const answer = await this.#client.command("sweep-run", { spec });
      if (answer.ok) return;
      this.#world.note(`not trained: ${answer.refusal.message}`);
      await sleep(this.#world.clock, 5_000);
    }
  }

  async #deploy(): Promise<void> {
    const replicas = this.#between(1, 2);
    while (!this.#isOver) {
      const answer = await this.#client.command("deploy-set", {
        deployment,
        model,
        version: "champion",
        replicas,
      });
      if (answer.ok) {
        this.#isDeployed = true;
        this.#world.note(`deployed: ${JSON.stringify(answer.value)}`);
        return;
      }
      this.#world.note(`not deployed: ${answer.refusal.message}`);
      await sleep(this.#world.clock, 3_000);
    }
  }

  #plan(at: number): void {
    const kind = this.#between(1, 5);
    const [version, replicas, length] = [
      this.#between(1, versions),
      this.#between(1, 3),
      this.#between(2_000, 30_000),
    ];
    this.#world.clock.setTimer(at, () => {
      if (!this.#isDeployed || this.#isOver) return;
      const set = { deployment, model, version: "champion", replicas };
      if (kind === 1) this.#send(this.#client, "deploy-set", set);
      else if (kind === 2) {
        this.#send(this.#client, "deploy-stop", { deployment, why: "" });
        this.#world.clock.setTimer(length, () => {
          if (!this.#isOver) this.#send(this.#client, "deploy-set", set);
        });
      } else {
        const move = { model, version, alias: "champion", why: "", expect: null };
        this.#send(this.#client, "model-promote", move);
      }
    });
  }

  async #look(): Promise<DeploymentView | null> {
    const query = this.#client.query("deployment", { deployment });
    const answer = await this.#world.clock.settle(query, 10 * minuteMs).catch(() => null);
    return answer?.ok === true ? answer.value : null;
  }

  async #asked<N extends CommandName>(
    client: MeshClient,
    name: N,
    body: Partial<CommandBody<N>>,
  ): Promise<Outcome<unknown> | null> {
    return this.#world.clock.settle(client.command(name, body), 10 * minuteMs).catch(() => null);
  }

  #send<N extends CommandName>(client: MeshClient, name: N, body: Partial<CommandBody<N>>): void {
    const told = client.command(name, body).then((answer) => {
      this.#world.note(`${name}: ${answer.ok ? "done" : answer.refusal.message}`);
    });
    this.#count(told);
  }

  /** In a storm nobody may be there to hear it. */
  #count(what: Promise<void>): void {
    this.#open++;
    void what
      .catch((error: unknown) => this.#world.note(error instanceof Error ? error.message : "lost"))
      .finally(() => this.#open--);
  }

  #between(min: number, max: number): number {
    return min + Math.floor(this.#random.next() * (max - min + 1));
  }
}

/** As many answer as are wanted, each with the newest revision, and nobody is there besides. */
function isWhole({ replicas, revision, state, wanted }: DeploymentView): boolean {
  const ready = replicas.filter((replica) => replica.state === "ready" && replica.revision === revision);
  return state === "running" && ready.length === wanted && replicas.length === wanted;
}
