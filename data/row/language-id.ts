/**
 * The embedded dataset: short phrases in 34 languages (names of regions, languages, currencies, units
 * and dates) from the CLDR data that Node's own ICU carries. The label is the language.
 * A phrase that two languages share, after normalising, is in neither: nobody could label it.
 * Same Node, same ICU, same phrases; another ICU may word some differently and so gives another digest.
 */
import type { Example, TextDataset } from "./dataset-rows.ts";
import { normaliseText, splitByText } from "./split.ts";

const languages = [
  ..."af bg ca cs da de en es et eu fi fr gl hr hu id is".split(" "),
  ..."it lt lv mk ms nb nl pl pt ro ru sk sl sq sv tr uk".split(" "),
];
const letters = [..."abcdefghijklmnopqrstuvwxyz"];
const pairs = letters.flatMap((a) => letters.map((b) => a + b));
const unitAmounts = [2, 9];
/** 2024 starts on a Monday; only the wording of a date matters here. */
const datesUtc = Array.from({ length: 36 }, (_, index) => Date.UTC(2024, index % 12, 1 + ((index * 5) % 27)));
const shares = [0.8, 0.1, 0.1];

export const languageIdName = "language-id";

export function languageIdDataset(): TextDataset {
  const regions = known(
    "region",
    pairs.map((pair) => pair.toUpperCase()),
  );
  const tongues = known("language", [...pairs, ...pairs.flatMap((pair) => letters.map((c) => pair + c))]);
  const owners = new Map<string, number>();
  const shared = -1;
  const texts = languages.map((language, label) => {
    const own = new Map<string, string>();
    for (const phrase of phrasesOf(language, regions, tongues)) {
      const key = normaliseText(phrase);
      if (/\p{L}{2}/u.test(key) && !own.has(key)) own.set(key, phrase);
    }
    for (const key of own.keys()) owners.set(key, owners.has(key) ? shared : label);
    return own;
  });
  const examples: Example[] = texts.flatMap((own, label) =>
    [...own].filter(([key]) => owners.get(key) === label).map(([, text]) => ({ text, label })),
  );
  const [train = [], validation = [], test = []] = splitByText(examples, shares, languageIdName);
  return { kind: "text", name: languageIdName, labels: languages, train, validation, test };
}

function phrasesOf(language: string, regions: readonly string[], tongues: readonly string[]): string[] {
  const name = (type: Intl.DisplayNamesType, codes: readonly string[]) => {
    const names = new Intl.DisplayNames([language], { type, fallback: "none" });
    return codes.map((code) => names.of(code)).filter((phrase) => phrase !== undefined);
  };
  const units = Intl.supportedValuesOf("unit").flatMap((unit) => {
    const format = new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" });
    return unitAmounts.map((amount) => format.format(amount));
  });
  const day = new Intl.DateTimeFormat(language, {
    weekday: "long",
    day: "numeric",
    month: "long",
    timeZone: "UTC",
  });
  return [
    ...name("region", regions),
    ...name("language", tongues),
    ...name("currency", Intl.supportedValuesOf("currency")),
    ...units,
    ...datesUtc.map((date) => day.format(date)),
  ];
}

/** The codes that have a name at all; English names every one that CLDR names. */
function known(type: Intl.DisplayNamesType, codes: readonly string[]): string[] {
  const names = new Intl.DisplayNames(["en"], { type, fallback: "none" });
  return codes.filter((code) => {
    try {
      return names.of(code) !== undefined;
    } catch {
      return false; // not even the shape of a code
    }
  });
}
