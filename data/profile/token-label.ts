/**
 * Which tokens speak for which label: log-odds of a token's rows under the label against all others, with an informative
 * Dirichlet prior in the proportions of the whole set (Monroe, Colaresi and Quinn 2008, "Fightin' Words", eq. 16 to 22),
 * over its standard deviation. A token whose presence alone nearly always means one label gives it away: a source's
 * mark, a template, or just the word that matters. Which of these, a person must say.
 */
import { sumOf } from "../../numeric/moment.ts";
import type { TextProfile } from "./profile.ts";

type TokenFigures = TextProfile["tokens"][number];

/** Weight of the prior, in token occurrences. */
const priorTokens = 1_000;
export const giveAway = {
  /** Share of a token's rows that have one label. */
  shareLeast: 0.95,
  rowsLeast: 20,
  /** Of all rows scanned. */
  rowShareLeast: 0.002,
  /** Nothing is given away where nearly every row has that label anyway. */
  labelShareMost: 0.8,
} as const;
/** Beyond these, z is no accident even among tens of thousands of tokens. */
const zLeast = 5;
const listedPerLabelMost = 5;
const listedGivingAwayMost = 20;
/** Different tokens held; at twice as many, the rare half goes. */
const tokensMost = 200_000;
const tokenUnitsMost = 40;

export class TokenLabels {
  readonly #labels: readonly string[];
  /** Rows per label that hold the token. */
  #tokens = new Map<string, Uint32Array>();
  readonly #rows: Float64Array;

  constructor(labels: readonly string[]) {
    this.#labels = labels;
    this.#rows = new Float64Array(labels.length);
  }

  /** The words of a normalised text; each counts once per text. */
  add(words: readonly string[], label: number): void {
    this.#rows[label] = (this.#rows[label] ?? 0) + 1;
    for (const token of new Set(words)) {
      if (token.length > tokenUnitsMost) continue;
      let counts = this.#tokens.get(token);
      if (counts === undefined) {
        counts = new Uint32Array(this.#labels.length);
        this.#tokens.set(token, counts);
      }
      counts[label] = (counts[label] ?? 0) + 1;
    }
    if (this.#tokens.size >= 2 * tokensMost) this.#dropRare();
  }

  figures(): TokenFigures[] {
    const all = [...this.#tokens].map(([token, counts]) => ({ token, counts, rows: sumOf(counts) }));
    const perLabel = this.#labels.map((_, label) =>
      all.reduce((total, { counts }) => total + (counts[label] ?? 0), 0),
    );
    const total = sumOf(perLabel);
    const rowsAll = sumOf(this.#rows);
    const rowsLeast = Math.max(giveAway.rowsLeast, giveAway.rowShareLeast * rowsAll);
    const scored = all.flatMap(({ token, counts, rows }) => {
      const label = counts.indexOf(Math.max(...counts));
      const labelRows = counts[label] ?? 0;
      const z = logOddsZ(
        labelRows,
        perLabel[label] ?? 0,
        rows - labelRows,
        total - (perLabel[label] ?? 0),
        total,
      );
      const givesAway =
        rows >= rowsLeast &&
        labelRows > giveAway.shareLeast * rows &&
        (this.#rows[label] ?? 0) < giveAway.labelShareMost * rowsAll;
      return z >= zLeast || givesAway ? [{ token, label, rows, labelRows, z, givesAway }] : [];
    });
    scored.sort((a, b) => b.z - a.z || (a.token < b.token ? -1 : 1));
    const giving = scored.filter((each) => each.givesAway).slice(0, listedGivingAwayMost);
    const strong = this.#labels.flatMap((_, label) =>
      scored.filter((each) => each.label === label).slice(0, listedPerLabelMost),
    );
    return scored
      .filter((each) => giving.includes(each) || strong.includes(each))
      .map((each) => ({ ...each, label: this.#labels[each.label] ?? "" }));
  }

  #dropRare(): void {
    const kept = [...this.#tokens].toSorted(([, a], [, b]) => sumOf(b) - sumOf(a)).slice(0, tokensMost);
    this.#tokens = new Map(kept);
  }
}

/**
 * z of the log-odds of a token counted `here` of `hereAll` tokens against `there` of `thereAll`, the prior in proportion to
 * its share of all `total`.
 */
export function logOddsZ(
  here: number,
  hereAll: number,
  there: number,
  thereAll: number,
  total: number,
): number {
  const prior = (priorTokens * (here + there)) / total;
  const odds = (count: number, all: number) =>
    Math.log((count + prior) / (all + priorTokens - count - prior));
  const variance = 1 / (here + prior) + 1 / (there + prior);
  return (odds(here, hereAll) - odds(there, thereAll)) / Math.sqrt(variance);
}
