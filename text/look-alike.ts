/**
 * Texts that look the same and are not: characters nobody sees, other forms of one letter, letters of another script. And a
 * text with those spelled out, so that two of them can be told apart. It judges nothing but what the eye would.
 */

/** Controls, format characters, every space but the plain one, and what fonts draw as nothing. */
const unseen = /[[\p{Cc}\p{Cf}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]--[ \p{Variation_Selector}]]/gv;
const notAscii = /[^\u0020-\u007e]/gu;
const names: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Cyrillic and Greek letters that are drawn as a Latin one. */
const [likeLatin, latin] = [
  "аеорсухіјѕԁһӏАВЕЅІЈКМНОРСТУХоναιορυχκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
  "aeopcyxijsdhlABESIJKMHOPCTYXovaiopuxkABEZHIKMNOPTYX",
].map((letters) => [...letters]);
const drawnAs = new Map((likeLatin ?? []).map((letter, at) => [letter, latin?.[at] ?? letter]));

/** The text with each character that cannot be seen as its escape: `spam\t`, `spam\u{200b}`. */
export function spelledOut(text: string): string {
  return text.replace(unseen, escaped);
}

/**
 * How each of several texts is shown beside the others: `spelledOut`; where another looks the same, every character
 * outside ASCII as its escape, so that é in one character and é in two come out apart.
 */
export function toldApart(texts: readonly string[]): ReadonlyMap<string, string> {
  const alike = new Set(lookAlikes(texts).flat());
  return new Map(
    texts.map((text) => [
      text,
      alike.has(text) ? spelledOut(text).replace(notAscii, escaped) : spelledOut(text),
    ]),
  );
}

function escaped(character: string): string {
  return names[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** Groups of two or more different texts that look the same, each in the order given. */
export function lookAlikes(texts: readonly string[]): readonly (readonly string[])[] {
  const groups = Map.groupBy(new Set(texts), drawn);
  return [...groups.values()].filter((group) => group.length > 1);
}

/** What is left of a text when it is looked at. */
function drawn(text: string): string {
  const seen = text
    .normalize("NFKC")
    .replace(unseen, (one) => (/\s/u.test(one) ? " " : ""))
    .replaceAll(/\p{Variation_Selector}/gu, "");
  return [...seen.replaceAll(/ +/gu, " ").trim()].map((letter) => drawnAs.get(letter) ?? letter).join("");
}
