/**
 * Which loaded version answers for which name. Each reference that is served (`trec@champion`, `trec@7`) is a place with one lane in
 * it; a new version takes the place at once and the old one answers what it was asked before. Where several places have one name,
 * each gets its weight of the requests that name no version.
 */
import type { Lane } from "../batch/lane.ts";
import { quoted, turnDown, type Reading } from "../protocol/http-refusal.ts";
import type { RolloutDesk } from "./rollout-desk.ts";

export interface TablePlace {
  /** As it was asked for: `name@alias` or `name@version`. */
  readonly reference: string;
  readonly weight: number;
  readonly lane: Lane;
}

export class ModelTable {
  readonly #places = new Map<string, TablePlace>();
  readonly #byName = new Map<string, TablePlace[]>();
  readonly #desks = new Map<string, RolloutDesk>();
  readonly #draw: () => number;
  readonly #name: string | null;

  /** `draw`: from [0, 1), for names with several places of some weight. `name`: one that all of them have beside their own. */
  constructor(draw: () => number, name: string | null = null) {
    this.#draw = draw;
    this.#name = name;
  }

  get places(): readonly TablePlace[] {
    return [...this.#places.values()];
  }

  /** The versions on trial beside those that answer. */
  get desks(): readonly RolloutDesk[] {
    return [...this.#desks.values()];
  }

  /**
   * Puts a lane into its place; resolves when the one that was there has answered all it was asked, and is freed. One of weight 0 answers whoever names
   * its version, and nobody else.
   */
  put(reference: string, lane: Lane, weight = 1): Promise<void> {
    const before = this.#places.get(reference);
    this.#places.set(reference, { reference, weight, lane });
    this.#listByName();
    if (weight > 0) this.#desks.get(lane.described.model.model)?.see(lane);
    return before === undefined ? Promise.resolve() : before.lane.retire();
  }

  /** Nobody is sent there any more; resolves when it has answered all it was asked. */
  remove(reference: string): Promise<void> {
    const before = this.#places.get(reference);
    this.#places.delete(reference);
    this.#listByName();
    // It may be in the middle of handing out a batch whose answers led to this.
    return Promise.resolve().then(() => before?.lane.retire());
  }

  /** What is on trial beside the one version of a model; null where nothing is. */
  desk(model: string): RolloutDesk | null {
    return this.#desks.get(model) ?? null;
  }

  try(desk: RolloutDesk): void {
    this.#desks.set(desk.model, desk);
  }

  /** Puts these in place of all that were there, at once; resolves when those that are in no place any more are freed. */
  async replace(places: readonly TablePlace[]): Promise<void> {
    const left = this.places.filter(({ lane }) => places.every((place) => place.lane !== lane));
    this.#places.clear();
    for (const place of places) this.#places.set(place.reference, place);
    this.#listByName();
    for (const { lane, weight } of places)
      if (weight > 0) this.#desks.get(lane.described.model.model)?.see(lane);
    await Promise.all(left.map(({ lane }) => lane.retire()));
  }

  #listByName(): void {
    this.#byName.clear();
    for (const place of this.#places.values())
      for (const name of new Set([place.lane.described.model.model, this.#name]))
        if (name !== null) this.#byName.set(name, [...(this.#byName.get(name) ?? []), place]);
  }

  /** The lane that answers a request now. */
  find(model: string, version: string | null): Reading<Lane> {
    const places = this.#byName.get(model);
    if (places === undefined) {
      const names = [...this.#byName.keys()].join(", ");
      return turnDown(404, `no model ${quoted(model)} is served here; there are ${names}`);
    }
    if (version === null) return { ok: true, value: this.#weighted(places) };
    const found = places.find(({ lane }) => String(lane.described.model.version) === version);
    if (found !== undefined) return { ok: true, value: found.lane };
    const versions = places.map(({ lane }) => lane.described.model.version).join(", ");
    return turnDown(
      404,
      `version ${quoted(version)} of ${quoted(model)} is not served here; there is ${versions}`,
    );
  }

  /** The first, for protocols that name no model. */
  first(): Reading<Lane> {
    const [place] = this.#places.values();
    return place === undefined ? turnDown(503, "no model is loaded yet") : { ok: true, value: place.lane };
  }

  async retireAll(): Promise<void> {
    const { desks, places } = this;
    this.#places.clear();
    this.#byName.clear();
    this.#desks.clear();
    await Promise.all([...desks.map((desk) => desk.close()), ...places.map(({ lane }) => lane.retire())]);
  }

  #weighted(places: readonly TablePlace[]): Lane {
    const [first] = places;
    if (first === undefined) throw new Error("broken invariant: a name without a place");
    if (places.length === 1) return first.lane;
    const total = places.reduce((sum, { weight }) => sum + weight, 0);
    let left = this.#draw() * total;
    for (const { lane, weight } of places) {
      left -= weight;
      if (left < 0) return lane;
    }
    return first.lane;
  }
}
