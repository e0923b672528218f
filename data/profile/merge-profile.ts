/**
 * The profile of the whole from the profiles of its parts, each with the error its sketches state. Counts, ranges, means and
 * deviations are exact; distinct values, quantiles and frequent values stay within the stated errors. What needs the rows
 * of both sides is estimated from below and says so: repeats across parts are counted by the sketch of texts, but
 * conflicts and leaks between parts are not seen, and repeats are listed per part.
 */
import { accept, refuse, type Outcome } from "../../protocol/refusal.ts";
import { HyperLogLog } from "../sketch/hyper-log-log.ts";
import { ColumnScan } from "./column-scan.ts";
import { findingsOf } from "./finding.ts";
import type { LabelBalance, Profile, RowGroup, RowPlace, TextProfile } from "./profile.ts";
import { examplesMost, listedGroupsMost } from "./profile-limit.ts";

/** Parts that are named in what is merged of more. */
const namesMost = 3;

/** Of all parts, one behind the other; they must have the same columns of the same kinds. */
export function mergeParts([first, ...rest]: readonly [Profile, ...Profile[]]): Outcome<Profile> {
  let whole = first;
  for (const part of rest) {
    const merged = mergeProfiles(whole, part);
    if (!merged.ok) return merged;
    whole = merged.value;
  }
  const names = [...new Set([first, ...rest].map(({ name }) => name))];
  const shown =
    names.length <= namesMost
      ? names
      : [...names.slice(0, namesMost - 1), `${names.length - namesMost + 1} more`];
  return accept({ ...whole, name: shown.join(", ") });
}

/** Of `b` behind `a`. */
export function mergeProfiles(a: Profile, b: Profile): Outcome<Profile> {
  for (const [one, other] of [
    [a, b],
    [b, a],
  ] as const) {
    const only = one.columns.find(({ name }) => other.columns.every((column) => column.name !== name));
    if (only === undefined) continue;
    return refuse(
      "conflict",
      `the profiles of ${a.name} and ${b.name} do not merge: only ${one.name} has a column ${only.name}`,
    );
  }
  const columns: ColumnScan[] = [];
  for (const column of a.columns) {
    const other = b.columns.find(({ name }) => name === column.name);
    if (other?.kind !== column.kind) {
      return refuse(
        "conflict",
        `the profiles of ${a.name} and ${b.name} do not merge: column ${column.name} is ${column.kind} in one and ${other?.kind ?? "missing"} in the other`,
      );
    }
    const [sketch, otherSketch] = [a.sketches.columns[column.name], b.sketches.columns[column.name]];
    if (sketch === undefined || otherSketch === undefined) {
      return refuse(
        "invalid",
        `a profile of ${a.name} or ${b.name} lacks the sketches of column ${column.name}`,
      );
    }
    const scan = ColumnScan.from(column, sketch);
    scan.merge(ColumnScan.from(other, otherSketch));
    columns.push(scan);
  }
  if (a.text?.column !== b.text?.column || a.labels?.column !== b.labels?.column) {
    return refuse(
      "conflict",
      `the profiles of ${a.name} and ${b.name} do not merge: their text or label columns differ`,
    );
  }
  const texts = mergeTexts(a, b);
  const unjudged: Omit<Profile, "findings"> = {
    ...a,
    digest: null,
    rows: a.rows + b.rows,
    splits: addRows(a.splits, b.splits, "split"),
    files: [...a.files, ...b.files],
    columns: columns.map((column) => column.profile()),
    labels: a.labels === null || b.labels === null ? null : mergeLabels(a.labels, b.labels),
    text:
      a.text === null || b.text === null || texts === null
        ? null
        : mergeText(a.text, b.text, a.rows + b.rows, a.files.length, texts),
    sketches: {
      columns: Object.fromEntries(columns.map((column) => [column.name, column.sketch()])),
      texts: texts?.toJSON() ?? null,
    },
  };
  return accept({ ...unjudged, findings: findingsOf(unjudged) });
}

function mergeTexts(a: Profile, b: Profile): HyperLogLog | null {
  if (a.sketches.texts === null || b.sketches.texts === null) return null;
  const merged = HyperLogLog.from(a.sketches.texts);
  merged.merge(HyperLogLog.from(b.sketches.texts));
  return merged;
}

/** Sums the rows of entries with the same name, in the order of the first list. */
function addRows<Key extends string, Entry extends { readonly rows: number } & Readonly<Record<Key, string>>>(
  a: readonly Entry[],
  b: readonly Entry[],
  key: Key,
): Entry[] {
  const sums = new Map(a.map((entry) => [entry[key], entry]));
  for (const entry of b) {
    sums.set(entry[key], { ...entry, rows: entry.rows + (sums.get(entry[key])?.rows ?? 0) });
  }
  return [...sums.values()];
}

function mergeLabels(a: LabelBalance, b: LabelBalance): LabelBalance {
  const overall = addRows(a.overall, b.overall, "label");
  const splits = [...new Set([...a.splits, ...b.splits].map(({ split }) => split))].map((split) => {
    const of = (balance: LabelBalance) => balance.splits.find((each) => each.split === split)?.labels ?? [];
    const none = overall.map(({ label }) => ({ label, rows: 0 }));
    return { split, labels: addRows(none, addRows(of(a), of(b), "label"), "label") };
  });
  const counts = overall.map(({ rows }) => rows);
  const least = Math.min(...counts);
  const trimmed = (a.trimmed ?? 0) + (b.trimmed ?? 0);
  const told = trimmed === 0 ? {} : { trimmed };
  return {
    column: a.column,
    overall,
    splits,
    ...told,
    ratio: least === 0 ? null : Math.max(...counts) / least,
  };
}

function mergeText(
  a: TextProfile,
  b: TextProfile,
  rows: number,
  filesBefore: number,
  texts: HyperLogLog,
): TextProfile {
  const moved = <Place extends Pick<RowPlace, "file">>(place: Place): Place => ({
    ...place,
    file: place.file + filesBefore,
  });
  const groups = <Group extends RowGroup>(first: readonly Group[], second: readonly Group[]): Group[] =>
    [...first, ...second.map((group) => ({ ...group, places: group.places.map(moved) }))]
      .sort((x, y) => y.rows - x.rows)
      .slice(0, listedGroupsMost);
  const within = a.exact.extraRows + b.exact.extraRows;
  const present = rows === 0 ? 0 : a.scanned.of + b.scanned.of;
  const leaks = [...a.leakage];
  for (const leak of b.leakage) {
    const at = leaks.findIndex(({ from, to }) => from === leak.from && to === leak.to);
    const known = leaks[at];
    const added = {
      ...leak,
      sameRows: leak.sameRows + (known?.sameRows ?? 0),
      nearRows: leak.nearRows + (known?.nearRows ?? 0),
      groups: groups(known?.groups ?? [], leak.groups),
    };
    if (known === undefined) leaks.push(added);
    else leaks[at] = added;
  }
  return {
    column: a.column,
    exact: {
      groups: a.exact.groups + b.exact.groups,
      // Repeats within a part are certain; those across parts are what the sketch of all texts lacks.
      extraRows: Math.max(within, Math.round(present - texts.estimate())),
      estimated: true,
      listed: groups(a.exact.listed, b.exact.listed),
    },
    near: {
      threshold: a.near.threshold,
      groups: a.near.groups + b.near.groups,
      extraRows: a.near.extraRows + b.near.extraRows,
      listed: groups(a.near.listed, b.near.listed),
    },
    conflicts: {
      groups: a.conflicts.groups + b.conflicts.groups,
      rows: a.conflicts.rows + b.conflicts.rows,
      estimated: true,
      listed: groups(a.conflicts.listed, b.conflicts.listed),
    },
    leakage: leaks,
    scanned: { rows: a.scanned.rows + b.scanned.rows, of: present },
    languages: addRows(a.languages, b.languages, "language").sort((x, y) => y.rows - x.rows),
    unicode: sightings(a.unicode, b.unicode, moved),
    personal: sightings(a.personal, b.personal, moved),
    tokens: mergeTokens(a.tokens, b.tokens),
  };
}

interface Sighting<Kind, Example> {
  kind: Kind;
  rows: number;
  examples: Example[];
}

function sightings<Kind, Example extends Pick<RowPlace, "file">>(
  a: readonly Sighting<Kind, Example>[],
  b: readonly Sighting<Kind, Example>[],
  moved: (example: Example) => Example,
): Sighting<Kind, Example>[] {
  const all = new Map(a.map((seen) => [seen.kind, seen]));
  for (const seen of b) {
    const known = all.get(seen.kind);
    const examples = [...(known?.examples ?? []), ...seen.examples.map(moved)].slice(0, examplesMost);
    all.set(seen.kind, { ...seen, rows: seen.rows + (known?.rows ?? 0), examples });
  }
  return [...all.values()].sort((x, y) => y.rows - x.rows);
}

/**
 * Tokens that both parts list for the same label, with the rows of both and one z, each part's weighing as the root of its
 * rows (Lipták 1958), so that it does not matter in which order parts are merged; others as their part found them.
 */
function mergeTokens(a: TextProfile["tokens"], b: TextProfile["tokens"]): TextProfile["tokens"] {
  const merged = a.map((token) => {
    const other = b.find((each) => each.token === token.token && each.label === token.label);
    if (other === undefined) return token;
    return {
      ...token,
      rows: token.rows + other.rows,
      labelRows: token.labelRows + other.labelRows,
      z:
        (Math.sqrt(token.rows) * token.z + Math.sqrt(other.rows) * other.z) /
        Math.sqrt(token.rows + other.rows),
      givesAway: token.givesAway && other.givesAway,
    };
  });
  const known = new Set(a.map(({ token, label }) => `${token}\n${label}`));
  return [...merged, ...b.filter(({ token, label }) => !known.has(`${token}\n${label}`))].sort(
    (x, y) => y.z - x.z,
  );
}
