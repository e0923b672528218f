/**
 * Which language a text is in, well enough to see that a set is mixed: by script where that settles it, among languages
 * that share one by letters only some of them use and by frequent short words. A text without any of those (a name, a
 * number, two nouns) is `und`: undetermined. Related languages are taken for each other now and then, and no language
 * outside these lists is ever named.
 */
import { stopWords } from "./stop-word.ts";

export const undetermined = "und";

/** A share of the letters from which a script settles it. */
const scriptShareLeast = 0.5;
/** Among languages of one script, the first pattern that matches; the last one is what is left. */
const scripts: readonly {
  readonly letters: RegExp;
  readonly languages: readonly (readonly [RegExp, string])[];
}[] = [
  { letters: /[\p{Script=Hiragana}\p{Script=Katakana}]/gu, languages: [[/./u, "ja"]] },
  { letters: /\p{Script=Hangul}/gu, languages: [[/./u, "ko"]] },
  { letters: /\p{Script=Han}/gu, languages: [[/./u, "zh"]] },
  {
    letters: /\p{Script=Cyrillic}/gu,
    languages: [
      [/[іїєґ]/iu, "uk"],
      [/[ђјљњћџ]/iu, "sr"],
      [/[ыэё]/iu, "ru"],
      [/ъ[бвгджзклмнпрстфхцчшщ]|\b(?:на|се|това|който|която|със|във)\b/iu, "bg"],
      [/./u, "ru"],
    ],
  },
  {
    letters: /\p{Script=Arabic}/gu,
    languages: [
      [/[ٹڈڑںے]/u, "ur"],
      [/[پچژگ]/u, "fa"],
      [/./u, "ar"],
    ],
  },
  { letters: /\p{Script=Greek}/gu, languages: [[/./u, "el"]] },
  { letters: /\p{Script=Hebrew}/gu, languages: [[/./u, "he"]] },
  { letters: /\p{Script=Thai}/gu, languages: [[/./u, "th"]] },
  { letters: /\p{Script=Devanagari}/gu, languages: [[/./u, "hi"]] },
  { letters: /\p{Script=Bengali}/gu, languages: [[/./u, "bn"]] },
  { letters: /\p{Script=Tamil}/gu, languages: [[/./u, "ta"]] },
  { letters: /\p{Script=Telugu}/gu, languages: [[/./u, "te"]] },
  { letters: /\p{Script=Georgian}/gu, languages: [[/./u, "ka"]] },
  { letters: /\p{Script=Armenian}/gu, languages: [[/./u, "hy"]] },
];
/** Han beside kana is Japanese: this share of kana among both is enough. */
const kanaShareLeast = 0.1;

/** Letters that few languages of the Latin script use; each found counts as half a word of theirs. */
const lettersOf: Readonly<Record<string, string>> = {
  de: "ßäöü",
  es: "ñ¿¡",
  pt: "ãõçê",
  fr: "çœêô",
  ca: "ç",
  sv: "åäö",
  da: "åøæ",
  nb: "åøæ",
  fi: "äö",
  et: "õäöü",
  pl: "łążęć",
  cs: "řěů",
  sk: "ľôä",
  ro: "șță",
  hu: "őűöü",
  tr: "ğışöüç",
  vi: "đơưă",
  hr: "đć",
  lt: "ėųąę",
  lv: "āēīļņ",
};
const letterWeight = 0.5;
/** How far the best language must be ahead of the next, in words. */
const leadLeast = 0.01;

const languagesOf = byMember(stopWords);
const languagesWith = byMember(lettersOf);

/** Each word or letter with the languages that list it. */
function byMember(lists: Readonly<Record<string, Iterable<string>>>): ReadonlyMap<string, readonly string[]> {
  const pairs = Object.entries(lists).flatMap(([language, members]) =>
    [...new Set(members)].map((member) => ({ language, member })),
  );
  const languages = ([member, some]: readonly [string, typeof pairs]) =>
    [member, some.map(({ language }) => language)] as const;
  return new Map([...Map.groupBy(pairs, ({ member }) => member)].map(languages));
}

/** `words` of a text that `normaliseText` has made lower-case. */
export function languageOf(lower: string, words: readonly string[]): string {
  // oxlint-disable-next-line no-control-regex
  if (/[^\u0000-\u024f\u1e00-\u1eff\u2000-\u2bff]/u.test(lower)) {
    const byScript = languageByScript(lower);
    if (byScript !== null) return byScript;
  }
  return latinLanguage(lower, words);
}

function languageByScript(lower: string): string | null {
  const letters = lower.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) return null;
  const counts = scripts.map((script) => lower.match(script.letters)?.length ?? 0);
  const [kana = 0, , han = 0] = counts;
  if (kana + han >= scriptShareLeast * letters && kana >= kanaShareLeast * (kana + han) && kana > 0)
    return "ja";
  const at = counts.findIndex((count) => count >= scriptShareLeast * letters);
  return scripts[at]?.languages.find(([pattern]) => pattern.test(lower))?.[1] ?? null;
}

function latinLanguage(lower: string, words: readonly string[]): string {
  const scores = new Map<string, number>();
  const give = (languages: readonly string[], points: number) => {
    for (const language of languages) scores.set(language, (scores.get(language) ?? 0) + points);
  };
  for (const word of words) {
    const languages = languagesOf.get(word);
    // A word of many languages says little about each.
    if (languages !== undefined) give(languages, 1 / Math.sqrt(languages.length));
  }
  // oxlint-disable-next-line no-control-regex
  if (/[^\u0000-\u007f]/u.test(lower)) {
    for (const letter of lower) {
      const languages = languagesWith.get(letter);
      if (languages !== undefined) give(languages, letterWeight / languages.length);
    }
  }
  const [best, next] = [...scores].sort(([, a], [, b]) => b - a);
  if (best === undefined || best[1] - (next?.[1] ?? 0) < leadLeast) return undetermined;
  return best[0];
}
