/** What in a profile calls for somebody's eyes, as sentences, worst first. It judges; it changes nothing. */
import { finePercent } from "../../text/figure.ts";
import { lookAlikeSentences, trimmedSentence } from "../version/label-note.ts";
import type { Finding, Profile } from "./profile.ts";
import { undetermined } from "./language.ts";

type Unjudged = Omit<Profile, "findings">;

const many = { conflictShare: 0.01, repeatShare: 0.05, missingShare: 0.05, mostlyMissingShare: 0.5 } as const;
/** Rows of the largest label for one of the smallest. */
const imbalance = { note: 3, warn: 10 } as const;
const otherLanguageShareLeast = 0.02;
const tokensNamed = 3;
const order = { bad: 0, warn: 1, note: 2 } as const;

export function findingsOf(profile: Unjudged): Finding[] {
  const found = [...columnFindings(profile), ...labelFindings(profile), ...textFindings(profile)];
  return found.sort((a, b) => order[a.severity] - order[b.severity] || b.rows - a.rows);
}

function* columnFindings({ columns }: Unjudged): Generator<Finding> {
  for (const column of columns) {
    const { name, rows, missing } = column;
    if (missing > 0) {
      const severity =
        missing >= many.mostlyMissingShare * rows
          ? "bad"
          : missing >= many.missingShare * rows
            ? "warn"
            : "note";
      yield {
        severity,
        kind: "missing",
        subject: name,
        sentence: `column ${name} has no value in ${count(missing, "row")} (${finePercent(missing / rows)})`,
        rows: missing,
      };
    }
    if (rows > 1 && missing < rows && column.distinct.relativeError === 0 && column.distinct.estimate === 1) {
      yield {
        severity: "warn",
        kind: "constant",
        subject: name,
        sentence: `column ${name} has the same value wherever it has one: nothing can be learned from it`,
        rows: rows - missing,
      };
    }
    if (column.kind === "text" && column.empty > 0) {
      yield {
        severity: "warn",
        kind: "length",
        subject: name,
        sentence: `column ${name} is an empty text in ${count(column.empty, "row")}`,
        rows: column.empty,
      };
    }
    if (column.kind === "number" && column.notFinite > 0) {
      yield {
        severity: "bad",
        kind: "missing",
        subject: name,
        sentence: `column ${name} is infinite or not a number in ${count(column.notFinite, "row")}`,
        rows: column.notFinite,
      };
    }
  }
}

function* labelFindings({ labels }: Unjudged): Generator<Finding> {
  if (labels === null) return;
  for (const { split, labels: rows } of labels.splits) {
    const absent = rows.filter((each) => each.rows === 0).map(({ label }) => label);
    if (absent.length === 0) continue;
    yield {
      severity: "bad",
      kind: "imbalance",
      subject: split,
      sentence: `${split} has no row with the label ${absent.join(", ")}`,
      rows: 0,
    };
  }
  const { column, overall, ratio, trimmed = 0 } = labels;
  if (trimmed > 0) {
    const sentence = trimmedSentence(column, trimmed);
    yield { severity: "note", kind: "unicode", subject: column, sentence, rows: trimmed };
  }
  for (const { labels: alike, sentence } of lookAlikeSentences(
    column,
    overall.map(({ label }) => label),
  )) {
    const rows = overall.reduce((sum, each) => (alike.includes(each.label) ? sum + each.rows : sum), 0);
    yield { severity: "warn", kind: "unicode", subject: column, sentence, rows };
  }
  if (ratio !== null && ratio >= imbalance.note) {
    const sorted = overall.toSorted((a, b) => a.rows - b.rows);
    yield {
      severity: ratio >= imbalance.warn ? "warn" : "note",
      kind: "imbalance",
      subject: column,
      sentence: `${sorted.at(-1)?.label} has ${ratio.toFixed(1)} times the rows of ${sorted[0]?.label} (${sorted[0]?.rows}): accuracy alone will flatter`,
      rows: sorted[0]?.rows ?? 0,
    };
  }
}

type ProfiledText = NonNullable<Unjudged["text"]>;

function* textFindings({ text, rows }: Unjudged): Generator<Finding> {
  if (text === null) return;
  yield* leakageFindings(text);
  yield* repeatFindings(text, rows);
  yield* contentFindings(text);
}

function* leakageFindings({ leakage }: ProfiledText): Generator<Finding> {
  for (const { from, to, sameRows, nearRows } of leakage) {
    const same = sameRows > 0 ? `${count(sameRows, "row")} of ${to} with a text that ${from} has too` : null;
    const near =
      nearRows > 0 ? `${count(nearRows, "row")} of ${to} with a text nearly like one of ${from}` : null;
    yield {
      severity: sameRows > 0 ? "bad" : "warn",
      kind: "leakage",
      subject: to,
      sentence: `${[same, near].filter((part) => part !== null).join(", and ")}: figures on ${to} are too good by that`,
      rows: sameRows + nearRows,
    };
  }
}

/** Texts that come more than once: under more than one label, the same, nearly the same. */
function* repeatFindings(text: ProfiledText, rows: number): Generator<Finding> {
  const { exact, near, conflicts, scanned } = text;
  const about = (estimated: boolean) => (estimated ? "about " : "");
  if (conflicts.groups > 0) {
    yield {
      severity: conflicts.rows > many.conflictShare * rows ? "bad" : "warn",
      kind: "conflict",
      subject: text.column,
      sentence: `${about(conflicts.estimated)}${count(conflicts.groups, "text")} under more than one label (${count(conflicts.rows, "row")}): some of them must be wrong`,
      rows: conflicts.rows,
    };
  }
  if (exact.extraRows > 0) {
    yield {
      severity: exact.extraRows > many.repeatShare * rows ? "warn" : "note",
      kind: "duplicate",
      subject: text.column,
      sentence: `${about(exact.estimated)}${count(exact.extraRows, "row")} with the text of another row (${finePercent(exact.extraRows / rows)})`,
      rows: exact.extraRows,
    };
  }
  if (near.extraRows > 0) {
    yield {
      severity: near.extraRows > many.repeatShare * scanned.rows ? "warn" : "note",
      kind: "near-duplicate",
      subject: text.column,
      sentence: `${count(near.extraRows, "text")} nearly the same as another`,
      rows: near.extraRows,
    };
  }
}

/** What the texts say: words that give the label away, what looks personal or broken, languages. */
function* contentFindings(text: ProfiledText): Generator<Finding> {
  const giving = text.tokens.filter(({ givesAway }) => givesAway).toSorted((a, b) => b.rows - a.rows);
  if (giving.length > 0) {
    const named = giving.slice(0, tokensNamed).map(({ token, label }) => `"${token}" (${label})`);
    const rest = giving.length > named.length ? `, and ${giving.length - named.length} more` : "";
    yield {
      severity: "warn",
      kind: "give-away",
      subject: text.column,
      sentence: `words that give the label away on their own: ${named.join(", ")}${rest}`,
      rows: Math.max(...giving.map((each) => each.rows)),
    };
  }
  for (const { kind, rows: seen } of text.personal) {
    yield {
      severity: "warn",
      kind: "personal",
      subject: kind,
      sentence: `${count(seen, "row")} with what looks like ${personalNames[kind]}`,
      rows: seen,
    };
  }
  for (const { kind, rows: seen } of text.unicode) {
    yield {
      severity: "warn",
      kind: "unicode",
      subject: kind,
      sentence: `${count(seen, "row")} with ${unicodeNames[kind]}`,
      rows: seen,
    };
  }
  const [main, ...others] = text.languages.filter(({ language }) => language !== undetermined);
  const other = others.filter((each) => each.rows > otherLanguageShareLeast * text.scanned.rows);
  if (main !== undefined && other.length > 0) {
    yield {
      severity: "note",
      kind: "language",
      subject: text.column,
      sentence: `languages are mixed: ${[main, ...other].map((each) => `${each.language} ${finePercent(each.rows / text.scanned.rows)}`).join(", ")}`,
      rows: other.reduce((sum, each) => sum + each.rows, 0),
    };
  }
}

const personalNames = {
  "e-mail": "an e-mail address",
  phone: "a telephone number",
  "ip-address": "an IP address",
  "credit-card": "a card number",
  iban: "a bank account (IBAN)",
} as const;
const unicodeNames = {
  replacement: "a character that could not be decoded (U+FFFD)",
  mojibake: 'text decoded wrongly ("Ã©" for "é")',
  control: "control characters",
  surrogate: "half of a surrogate pair",
} as const;

function count(rows: number, noun: string): string {
  return `${rows} ${noun}${rows === 1 ? "" : "s"}`;
}
