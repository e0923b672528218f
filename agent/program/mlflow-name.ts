/**
 * Under which names a trial's runs are told, so that no two runs share one: a child's metrics have its name before theirs, and a name
 * like that may be the trial's own as well. Whoever says a name first has it, and the objectives are the trial's from the start.
 */

type Kind = "metric" | "param" | "tag";

const sharedMax = 10_000;

export class MlflowNames {
  readonly #owners = new Map<string, string>();
  readonly #given = new Map<string, string>();

  /** `own`: the trial's run, and the names of metrics that nobody else may have. */
  constructor(own: string, objectives: readonly string[]) {
    for (const name of objectives) this.#owners.set(`metric ${name}`, own);
  }

  /** `prefix` is empty for the trial's own run. */
  nameOf(run: string, kind: Kind, prefix: string, key: string): string {
    const wanted = `${prefix}${key}`;
    const known = this.#given.get(`${run} ${kind} ${wanted}`);
    if (known !== undefined) return known;
    let name = wanted;
    for (let n = 2; this.#isOthers(run, kind, name); n++)
      name = prefix === "" ? `trial-${n}/${key}` : `${prefix.slice(0, -1)}-${n}/${key}`;
    if (this.#owners.size < sharedMax) this.#owners.set(`${kind} ${name}`, run);
    if (name !== wanted && this.#given.size < sharedMax) this.#given.set(`${run} ${kind} ${wanted}`, name);
    return name;
  }

  #isOthers(run: string, kind: Kind, name: string): boolean {
    const owner = this.#owners.get(`${kind} ${name}`);
    return owner !== undefined && owner !== run;
  }
}
