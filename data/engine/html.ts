/**
 * HTML in a text that is not a page: entities decoded (also the `#39;` that a lost ampersand leaves, as in AG News),
 * tags removed. No parser: what is no tag by its first letters, such as `a < b`, stays.
 */

export const htmlEntities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  copy: "©",
  reg: "®",
  trade: "™",
  hellip: "…",
  mdash: "—",
  ndash: "–",
  lsquo: "‘",
  rsquo: "’",
  ldquo: "“",
  rdquo: "”",
  laquo: "«",
  raquo: "»",
  bull: "•",
  middot: "·",
  euro: "€",
  pound: "£",
  yen: "¥",
  cent: "¢",
  sect: "§",
  deg: "°",
  para: "¶",
  plusmn: "±",
  times: "×",
  divide: "÷",
  frac12: "½",
  frac14: "¼",
  frac34: "¾",
  sup2: "²",
  sup3: "³",
  iexcl: "¡",
  iquest: "¿",
  agrave: "à",
  aacute: "á",
  acirc: "â",
  atilde: "ã",
  auml: "ä",
  aring: "å",
  aelig: "æ",
  ccedil: "ç",
  egrave: "è",
  eacute: "é",
  ecirc: "ê",
  euml: "ë",
  igrave: "ì",
  iacute: "í",
  icirc: "î",
  iuml: "ï",
  ntilde: "ñ",
  ograve: "ò",
  oacute: "ó",
  ocirc: "ô",
  otilde: "õ",
  ouml: "ö",
  oslash: "ø",
  ugrave: "ù",
  uacute: "ú",
  ucirc: "û",
  uuml: "ü",
  yacute: "ý",
  yuml: "ÿ",
  szlig: "ß",
  Agrave: "À",
  Aacute: "Á",
  Acirc: "Â",
  Atilde: "Ã",
  Auml: "Ä",
  Aring: "Å",
  AElig: "Æ",
  Ccedil: "Ç",
  Egrave: "È",
  Eacute: "É",
  Ecirc: "Ê",
  Euml: "Ë",
  Igrave: "Ì",
  Iacute: "Í",
  Icirc: "Î",
  Iuml: "Ï",
  Ntilde: "Ñ",
  Ograve: "Ò",
  Oacute: "Ó",
  Ocirc: "Ô",
  Otilde: "Õ",
  Ouml: "Ö",
  Oslash: "Ø",
  Ugrave: "Ù",
  Uacute: "Ú",
  Ucirc: "Û",
  Uuml: "Ü",
  Yacute: "Ý",
};
const codePointMax = 0x10_ffff;
const windows1252 = new TextDecoder("windows-1252");

export function decodeHtml(text: string): string {
  return text.replaceAll(
    /&(?<name>[A-Za-z][A-Za-z0-9]{1,8});|&?#(?:(?<decimal>[0-9]{1,7})|[xX](?<hex>[0-9A-Fa-f]{1,6}));/gu,
    (whole: string, name: string | undefined, decimal: string | undefined, hex: string | undefined) => {
      if (name !== undefined) return htmlEntities[name] ?? whole;
      const code = decimal === undefined ? Number.parseInt(hex ?? "0", 16) : Number(decimal);
      // Numbers that name no character are, by the HTML standard, bytes of windows-1252: curly quotes, most of them.
      if (code >= 0x80 && code <= 0x9f) return windows1252.decode(Uint8Array.of(code));
      const valid = code > 0 && code <= codePointMax && (code < 0xd8_00 || code > 0xdf_ff);
      return valid ? String.fromCodePoint(code) : whole;
    },
  );
}

export function stripTags(text: string): string {
  return text.replaceAll(/<!--[\s\S]*?-->|<(?:\/|!)?[A-Za-z][^<>]*>/gu, " ");
}
