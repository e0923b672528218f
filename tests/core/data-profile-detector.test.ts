/** The detectors of a profile: personal data, broken Unicode, languages, tokens that speak for a label, shapes of texts. */
import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { brokenUnicode } from "../../data/profile/broken-unicode.ts";
import { languageOf } from "../../data/profile/language.ts";
import { isCard, isIban, personalData } from "../../data/profile/personal-data.ts";
import { TextShape } from "../../data/profile/text-shape.ts";
import { logOddsZ, TokenLabels } from "../../data/profile/token-label.ts";
import { wordsOf } from "../../data/sketch/shingle.ts";
import { TextHash } from "../../data/sketch/text-hash.ts";
import { normaliseText } from "../../data/row/split.ts";

const personal: readonly (readonly [string, readonly string[]])[] = [
  ["write to jane.doe+lists@mail.example.co.uk, please", ["e-mail j***@m***.uk"]],
  ["@home and user@localhost are no addresses", []],
  ["call (555) 201-1234 now", ["phone (***) ***-**34"]],
  ["call 1-800-555-0199", ["phone *-***-***-**99"]],
  ["+44 20 7946 0958", ["phone +** ** **** **58"]],
  ["Tel. 030/901820 12", ["phone ***/****** 12"]],
  ["from 1996-1997, on 2024-01-02, scores 21-17 and 3.14159265", []],
  ["serial 1234567890123", []],
  ["at 192.168.10.254 or 300.1.1.1 or 1.2.3", ["ip-address 192.*.*.*"]],
  ["build 10.0.0.1.7", []],
  ["card 4111 1111 1111 1111 and 4111 1111 1111 1112", ["credit-card **** **** **** **11"]],
  ["IBAN DE89 3704 0044 0532 0130 00.", ["iban DE** **** **** **** **** 00"]],
  ["GB82WEST12345698765432 is one, GB82WEST12345698765431 is none", ["iban GB******************32"]],
  ["nothing here at all", []],
];
for (const [text, expected] of personal) {
  test(`PERSONAL-1: in ${JSON.stringify(text)} it sees ${expected.join(" and ") || "nothing"}`, () => {
    assert.deepEqual(
      personalData(text).map(({ kind, masked }) => `${kind} ${masked}`),
      expected,
    );
  });
}

test("PERSONAL-2: any one wrong digit fails Luhn's check, and mod 97 of an IBAN", () => {
  const change = (text: string, at: number, by: number) => {
    const digit = (Number(text[at]) + by) % 10;
    return text.slice(0, at) + String(digit) + text.slice(at + 1);
  };
  fc.assert(
    fc.property(fc.nat({ max: 15 }), fc.integer({ min: 1, max: 9 }), (at, by) => {
      assert.ok(isCard("5555555555554444") && !isCard(change("5555555555554444", at, by)));
      assert.ok(isIban("DE89370400440532013000") && !isIban(change("DE89370400440532013000", 4 + at, by)));
    }),
  );
});

test("PERSONAL-3: a masked example keeps at most two of its digits, an address none of its name but a letter", () => {
  for (const [text] of personal) {
    for (const { kind, masked } of personalData(text)) {
      const digits = masked.replaceAll(/\D/gu, "").length;
      assert.ok(kind === "ip-address" ? digits <= 3 : digits <= 2, masked);
    }
  }
});

const broken: readonly (readonly [string, readonly string[]])[] = [
  ["plain ASCII, with\ttab and\nline", []],
  ["naïve café, Größe, søster, Čapek, Ωmega, привет, 你好, 😀", []],
  ["CAFÉ» said the ÁRBOL", []],
  ["caf\ufffd", ["replacement"]],
  ["cafÃ© au lait", ["mojibake"]],
  ["donâ€™t", ["mojibake"]],
  ["Â£5 only", ["mojibake"]],
  ["Ð¿Ñ€Ð¸Ð²ÐµÑ‚", ["mojibake"]],
  ["ï»¿first", ["mojibake"]],
  ["bell \u0007", ["control"]],
  ["next line \u0085", ["control"]],
  ["half \ud83d of it", ["surrogate"]],
];
for (const [text, expected] of broken) {
  test(`UNICODE-1: ${JSON.stringify(text)} is ${expected.join(", ") || "in order"}`, () => {
    assert.deepEqual(brokenUnicode(text), expected);
  });
}

test("UNICODE-2: whatever is read as Windows-1252 though it was UTF-8 beyond ASCII is told, for European letters", () => {
  const decoder = new TextDecoder("windows-1252");
  for (const letter of "éèüößñçåæøÄÖÜ£§°«»") {
    const text = `some ${letter}xt`;
    assert.deepEqual(brokenUnicode(decoder.decode(new TextEncoder().encode(text))), ["mojibake"], letter);
  }
});

const sentences: Readonly<Record<string, string>> = {
  en: "The weather was so bad that we had to stay at home for the whole week.",
  de: "Das Wetter war so schlecht, dass wir die ganze Woche zu Hause bleiben mussten.",
  fr: "Le temps était si mauvais que nous avons dû rester à la maison toute la semaine.",
  es: "El tiempo era tan malo que tuvimos que quedarnos en casa toda la semana.",
  it: "Il tempo era così brutto che abbiamo dovuto restare a casa per tutta la settimana.",
  pt: "O tempo estava tão ruim que tivemos de ficar em casa a semana toda, não é?",
  nl: "Het weer was zo slecht dat we de hele week thuis moesten blijven.",
  sv: "Vädret var så dåligt att vi var tvungna att stanna hemma och inte gå ut.",
  fi: "Sää oli niin huono että meidän oli pakko olla kotona koko viikon, mutta se ei haitannut.",
  pl: "Pogoda była tak zła, że musieliśmy zostać w domu przez cały tydzień.",
  cs: "Počasí bylo tak špatné, že jsme museli zůstat celý týden doma.",
  ro: "Vremea a fost atât de rea că am fost nevoiți să stăm acasă toată săptămâna.",
  hu: "Az idő olyan rossz volt, hogy egész héten otthon kellett maradnunk.",
  tr: "Hava o kadar kötüydü ki bütün hafta evde kalmak zorunda kaldık ve çok sıkıldık.",
  id: "Cuaca sangat buruk sehingga kami tidak bisa pergi dan harus tinggal di rumah.",
  ru: "Погода была такой плохой, что мы всю неделю сидели дома.",
  uk: "Погода була такою поганою, що ми цілий тиждень сиділи вдома і нікуди не їздили.",
  el: "Ο καιρός ήταν τόσο κακός που μείναμε στο σπίτι.",
  ja: "天気がとても悪かったので、一週間ずっと家にいました。",
  zh: "天气太糟糕了，我们整个星期都待在家里。",
  ko: "날씨가 너무 나빠서 일주일 내내 집에 있었습니다.",
  ar: "كان الطقس سيئا جدا لدرجة أننا بقينا في المنزل",
  he: "מזג האוויר היה כל כך גרוע שנשארנו בבית",
  hi: "मौसम इतना खराब था कि हम पूरे हफ्ते घर पर रहे",
  und: "Zaragoza 1987",
};
for (const [language, sentence] of Object.entries(sentences)) {
  test(`LANGUAGE-1: "${sentence.slice(0, 24)}..." is ${language}`, () => {
    const lower = normaliseText(sentence);
    assert.equal(languageOf(lower, wordsOf(lower)), language);
  });
}

test("TOKEN-1: z is what the paper's formulas give, by an independent computation in Python", () => {
  // y = {A: who 60, the 200, x 1; B: who 3, the 210, x 40}, prior 1000 in proportion to all 514
  const [hereAll, thereAll, total] = [261, 253, 514];
  for (const [here, there, z] of [
    [60, 3, 3.611548301190143],
    [200, 210, -1.8085885042022496],
    [1, 40, -3.0185544886698676],
  ] as const) {
    assert.ok(Math.abs(logOddsZ(here, hereAll, there, thereAll, total) - z) < 1e-9);
  }
});

test("TOKEN-2: a word whose presence alone means one label gives it away, with support; common and rare words do not", () => {
  const tokens = new TokenLabels(["spam", "ham"]);
  for (let row = 0; row < 1000; row++) {
    const spam = row % 2 === 0;
    tokens.add(
      [spam && row % 4 === 0 ? "prize" : "hello", "the", `rare${row}`, ...(row < 10 && spam ? ["few"] : [])],
      spam ? 0 : 1,
    );
  }
  const figures = tokens.figures();
  assert.deepEqual(
    figures.map(({ token, label, rows, labelRows, givesAway }) => [token, label, rows, labelRows, givesAway]),
    [
      ["prize", "spam", 250, 250, true],
      ["hello", "ham", 750, 500, false],
    ],
  );
});

test("TOKEN-3: where nearly every row has one label, no word gives it away", () => {
  const tokens = new TokenLabels(["a", "b"]);
  for (let row = 0; row < 1000; row++)
    tokens.add(["word", row % 2 === 0 ? "even" : "odd"], row < 950 ? 0 : 1);
  assert.ok(tokens.figures().every(({ givesAway }) => !givesAway));
});

const anyText = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.string({ unit: "binary-ascii" }),
  fc.string({ unit: fc.constantFrom("a", "B", "7", " ", "\t", "\u000b", "\u00a0", "Ａ", "ﬁ", "٣", "İ") }),
);

test("SHAPE-1: a text's key is the hash of its normalised form, ASCII or not", () => {
  const shape = new TextShape();
  fc.assert(
    fc.property(anyText, (text) => {
      const expected = new TextHash(0x7465_7874).of(normaliseText(text));
      shape.of(text);
      assert.deepEqual([shape.keyLow, shape.keyHigh], [expected.low, expected.high]);
      assert.equal(shape.normalised(10_000), normaliseText(text));
    }),
    { numRuns: 500 },
  );
});

test("SHAPE-2: length is in code points, words are runs without white space", () => {
  const shape = new TextShape();
  fc.assert(
    fc.property(anyText, (text) => {
      shape.of(text);
      assert.equal(shape.characters, Array.from(text).length);
      assert.equal(shape.words, text.split(/\s+/u).filter((word) => word !== "").length);
    }),
    { numRuns: 500 },
  );
});
