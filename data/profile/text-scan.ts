/**
 * Everything a profile says about one column of texts with their labels and splits, row by row. Repeats are found among
 * all rows, the rest among those a hash of the row's number draws. Rows are numbers here; a caller who knows the source
 * turns those worth listing into places.
 */
import { HyperLogLog, type HyperLogLogJson } from "../sketch/hyper-log-log.ts";
import { NearIndex } from "../sketch/near-index.ts";
import { shingles, wordsOf } from "../sketch/shingle.ts";
import { mixUnsigned } from "../../numeric/mix.ts";
import { brokenUnicode } from "./broken-unicode.ts";
import { languageOf } from "./language.ts";
import { personalData } from "./personal-data.ts";
import type { PersonalKind, RowGroup, RowPlace, TextProfile, UnicodeKind } from "./profile.ts";
import {
  comparedUnits,
  languageUnits,
  languageWords,
  examplesMost,
  groupedTextsMost,
  nearThreshold,
  shingleCharacters,
} from "./profile-limit.ts";
import { listedRows, RepeatText } from "./repeat-text.ts";
import { TextGroups, type GroupedRow } from "./text-groups.ts";
import type { TextShape } from "./text-shape.ts";
import { TokenLabels } from "./token-label.ts";
import type { ListedGroup } from "./worst-groups.ts";

export interface TextScanOptions {
  readonly column: string;
  /** Names of the labels; empty where there are none. */
  readonly labels: readonly string[];
  /** Splits in order, what is learned from first; one where the data has none. */
  readonly splits: readonly string[];
  /** All rows to come. */
  readonly rows: number;
  readonly scannedRows: number;
  readonly groupedTexts?: number;
}

interface Scanned extends GroupedRow {
  readonly keyLow: number;
  readonly keyHigh: number;
}

interface Sighting<Kind, Example> {
  readonly kind: Kind;
  rows: number;
  readonly examples: Example[];
}

const drawSeed = 0x6472_6177;

export class TextScan {
  readonly #options: TextScanOptions;
  readonly #drawnBelow: number;
  readonly #groups: TextGroups;
  readonly #texts = new HyperLogLog();
  readonly #near = new NearIndex(nearThreshold);
  /** By their ids in the near index: the first scanned row of each text. */
  readonly #representatives: Scanned[] = [];
  readonly #seenKeys = new Set<number>();
  readonly #tokens: TokenLabels;
  readonly #languages = new Map<string, number>();
  readonly #unicode = new Map<UnicodeKind, Sighting<UnicodeKind, number>>();
  readonly #personal = new Map<
    PersonalKind,
    Sighting<PersonalKind, { readonly masked: string; readonly row: number }>
  >();
  #rows = 0;
  #scanned = 0;

  constructor(options: TextScanOptions) {
    this.#options = options;
    this.#drawnBelow =
      options.rows <= options.scannedRows ? 2 ** 32 : (options.scannedRows / options.rows) * 2 ** 32;
    this.#groups = new TextGroups(options.groupedTexts ?? groupedTextsMost);
    this.#tokens = new TokenLabels(options.labels);
  }

  /** A text with its shape, its row's number, the index of its label (-1: none) and of its split. */
  add(text: string, shape: TextShape, row: number, label: number, split: number): void {
    this.#rows++;
    this.#groups.add(shape.keyLow, shape.keyHigh, row, label, split);
    this.#texts.addHash(shape.keyLow, shape.keyHigh);
    if (mixUnsigned(row ^ drawSeed) < this.#drawnBelow) this.#look(text, shape, row, label, split);
  }

  /** Sketch of how many different normalised texts there are. */
  texts(): HyperLogLogJson {
    return this.#texts.toJSON();
  }

  #look(text: string, shape: TextShape, row: number, label: number, split: number): void {
    this.#scanned++;
    const normalised = shape.normalised(comparedUnits);
    const words = wordsOf(normalised);
    const language = languageOf(normalised.slice(0, languageUnits), words.slice(0, languageWords));
    this.#languages.set(language, (this.#languages.get(language) ?? 0) + 1);
    if (label >= 0) this.#tokens.add(words, label);
    for (const kind of brokenUnicode(text)) see(this.#unicode, kind, () => row);
    const kinds = new Set<PersonalKind>();
    for (const { kind, masked } of personalData(text)) {
      if (!kinds.has(kind)) see(this.#personal, kind, () => ({ masked, row }));
      kinds.add(kind);
    }
    const key = shape.keyHigh * 2 ** 21 + (shape.keyLow >>> 11);
    if (this.#seenKeys.has(key)) return;
    this.#seenKeys.add(key);
    const id = this.#representatives.length;
    this.#representatives.push({ row, label, split, keyLow: shape.keyLow, keyHigh: shape.keyHigh });
    this.#near.add(id, shingles(words, "characters", shingleCharacters));
  }

  /** Ends the scan. `placesOf` gives the places of row numbers, in any order, those it was asked for. */
  async profile(
    placesOf: (rows: readonly number[]) => Promise<ReadonlyMap<number, RowPlace>>,
  ): Promise<TextProfile> {
    const repeats = new RepeatText(this.#options.splits);
    for (const rows of this.#groups.groups()) repeats.addSame(rows);
    for (const ids of this.#near.groups()) repeats.addNear(ids.map((id) => this.#rowsLike(id)));
    const leaks = repeats.leaks();
    const shown = [repeats.exact, repeats.near, repeats.conflicts].flatMap(({ worst }) =>
      listedRows(worst.worst()),
    );
    for (const leak of leaks) shown.push(...listedRows(leak.same.worst()), ...listedRows(leak.near.worst()));
    for (const { examples } of this.#unicode.values()) shown.push(...examples);
    for (const { examples } of this.#personal.values()) shown.push(...examples.map(({ row }) => row));
    const places = await placesOf([...new Set(shown)]);
    const place = (row: number): RowPlace => {
      const found = places.get(row);
      if (found === undefined) throw new Error(`row ${row} was asked for and has no place`);
      return found;
    };
    const group = ({ rows, listed }: ListedGroup): RowGroup => ({
      rows,
      places: listed.map(({ row }) => place(row)),
    });
    return {
      column: this.#options.column,
      ...this.#repeated(repeats, leaks, group),
      scanned: { rows: this.#scanned, of: this.#rows },
      languages: [...this.#languages]
        .map(([language, rows]) => ({ language, rows }))
        .sort((a, b) => b.rows - a.rows || (a.language < b.language ? -1 : 1)),
      unicode: [...this.#unicode.values()]
        .map(({ kind, rows, examples }) => ({ kind, rows, examples: examples.map(place) }))
        .sort((a, b) => b.rows - a.rows),
      personal: [...this.#personal.values()]
        .map(({ kind, rows, examples }) => ({
          kind,
          rows,
          examples: examples.map(({ masked, row }) => {
            const { split, file, line } = place(row);
            return { masked, split, file, line };
          }),
        }))
        .sort((a, b) => b.rows - a.rows),
      tokens: this.#tokens.figures(),
    };
  }

  /** Rows that repeat others; where the groups are a sample, counts of the same texts are estimates. */
  #repeated(
    { exact, near, conflicts }: RepeatText,
    leaks: ReturnType<RepeatText["leaks"]>,
    group: (listed: ListedGroup) => RowGroup,
  ): Pick<TextProfile, "exact" | "near" | "conflicts" | "leakage"> {
    const scale = this.#groups.scale;
    const scaled = { estimated: scale > 1 };
    return {
      exact: {
        groups: exact.groups * scale,
        extraRows: exact.rows * scale,
        ...scaled,
        listed: exact.worst.worst().map(group),
      },
      near: {
        threshold: nearThreshold,
        groups: near.groups,
        extraRows: near.rows,
        listed: near.worst.worst().map(group),
      },
      conflicts: {
        groups: conflicts.groups * scale,
        rows: conflicts.rows * scale,
        ...scaled,
        listed: conflicts.worst.worst().map(group),
      },
      leakage: leaks.map((leak) => ({
        from: leak.from,
        to: leak.to,
        sameRows: leak.sameRows * scale,
        nearRows: leak.nearRows,
        groups: [
          ...leak.same.worst().map((each) => ({ near: false, ...group(each) })),
          ...leak.near.worst().map((each) => ({ near: true, ...group(each) })),
        ],
      })),
    };
  }

  /** All rows with the text of a representative; only itself where its group was let go. */
  #rowsLike(id: number): readonly GroupedRow[] {
    const representative = this.#representatives[id];
    if (representative === undefined) throw new Error(`the near index knows id ${id}, which was never given`);
    const rows = this.#groups.rowsOf(representative.keyLow, representative.keyHigh);
    return rows.length > 0 ? rows : [representative];
  }
}

function see<Kind, Example>(
  seen: Map<Kind, Sighting<Kind, Example>>,
  kind: Kind,
  example: () => Example,
): void {
  let sighting = seen.get(kind);
  if (sighting === undefined) {
    sighting = { kind, rows: 0, examples: [] };
    seen.set(kind, sighting);
  }
  sighting.rows++;
  if (sighting.examples.length < examplesMost) sighting.examples.push(example());
}
