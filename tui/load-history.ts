/** How busy the mesh and its agents were over the last minutes: a sample a second of what was answered anyway. */
import type { Clock } from "../protocol/time/clock.ts";
import type { MeshView } from "../protocol/view.ts";

const sampleMs = 1_000;
const samplesMax = 240;

export class LoadHistory {
  readonly #clock: Clock;
  readonly #loads = new Map<string, (number | null)[]>();
  #busy: readonly number[] = [];
  #sampledAt = -Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Each agent's processor load, 0 to 1, oldest first; null where it did not say. */
  get loads(): ReadonlyMap<string, readonly (number | null)[]> {
    return this.#loads;
  }

  /** Trials that ran, oldest first. */
  get busy(): readonly number[] {
    return this.#busy;
  }

  sample(mesh: MeshView): void {
    const at = this.#clock.monotonic();
    if (at - this.#sampledAt < sampleMs) return;
    this.#sampledAt = at;
    this.#busy = [...this.#busy, mesh.running].slice(-samplesMax);
    for (const agent of mesh.agents) {
      const before = this.#loads.get(agent.agent) ?? [];
      this.#loads.set(agent.agent, [...before, agent.cpuLoad].slice(-samplesMax));
    }
    const present = new Set(mesh.agents.map((each) => each.agent));
    for (const agent of this.#loads.keys()) if (!present.has(agent)) this.#loads.delete(agent);
  }
}
