/** Where a golden home's history plays: a live mesh, its people's sweeps, and a second agent in the same home. No chapters. */
import { prepareSweep } from "../../client/sweep/prepare-sweep.ts";
import type { SweepView, TrialView } from "../../protocol/view.ts";
import type { CliProcess } from "../support/cli-mesh.ts";
import { LiveMesh, valueOf } from "../support/live-mesh.ts";

const atticAgent = ["agent", "--name", "two", "--slots", "1", "--label", "room=attic"] as const;

export class Scene {
  readonly #mesh: LiveMesh;
  #two: CliProcess | null = null;

  constructor(mesh: LiveMesh) {
    this.#mesh = mesh;
  }

  async launch(text: string, requester = "owner", path = "sweep.yaml"): Promise<string> {
    const connected = await this.#mesh.person(requester);
    const file = this.#mesh.cli.write(path, text);
    const environment = this.#mesh.cli.environment(LiveMesh.home);
    const spec = await prepareSweep({
      file,
      overrides: {},
      environment,
      connected,
      progress: () => undefined,
    });
    return valueOf(await connected.client.command("sweep-run", { spec: valueOf(spec) })).sweep;
  }

  async run(text: string, requester?: string, path?: string): Promise<SweepView> {
    return this.#mesh.ended(await this.launch(text, requester, path));
  }

  async startTwo(...flags: readonly string[]): Promise<CliProcess> {
    this.#two = this.#mesh.start(LiveMesh.home, ...atticAgent, ...flags);
    await this.#mesh.agentThat("two", ({ state }) => state !== "silent");
    return this.#two;
  }

  /** A trial that runs on agent two and has a checkpoint from there. */
  heldByTwo(sweep: string): Promise<TrialView> {
    return this.#mesh.trialThat(
      sweep,
      "a checkpoint of two",
      ({ attempts, resource, state }) =>
        state === "running" && resource > 0 && attempts.at(-1)?.agent === "two",
    );
  }

  async endTwo(): Promise<void> {
    await this.#two?.end();
  }
}
