/** Made-up plain scalars near everything that a dialect of YAML takes for something else than text, and small documents. */
import fc from "fast-check";

const digits = fc.stringMatching(/^[0-9][0-9_]{0,5}$/);
const few = fc.stringMatching(/^[0-9]{1,3}$/);
const sign = fc.constantFrom("", "", "", "+", "-");
const places = fc.stringMatching(/^[0-9_]{0,4}$/);
const exponent = fc.tuple(fc.constantFrom("e", "E"), sign, few).map((parts) => parts.join(""));
const words = [
  "true",
  "false",
  "yes",
  "no",
  "on",
  "off",
  "y",
  "n",
  "null",
  "nan",
  "inf",
  "~",
  "=",
  "<<",
  "none",
  "t",
  "f",
];
/** A word with some of its letters large. */
const word = fc
  .tuple(
    fc.constantFrom(...words),
    fc.constantFrom("", ".", "-.", "+.", "-"),
    fc.nat(2),
    fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
  )
  .map(([text, before, how, large]) => {
    const cased =
      [text.toLowerCase(), text.toUpperCase(), `${text.charAt(0).toUpperCase()}${text.slice(1)}`][how] ??
      text;
    const mixed = [...text]
      .map((letter, index) => (large[index] === true ? letter.toUpperCase() : letter))
      .join("");
    return `${before}${large[4] === true ? mixed : cased}`;
  });
const two = fc.stringMatching(/^[0-9]{1,2}$/);
const date = fc
  .tuple(
    fc.stringMatching(/^(?:[12][0-9]{3}|0000)$/),
    fc.stringMatching(/^(?:0?[0-9]|1[0-3])$/),
    fc.stringMatching(/^(?:[0-3]?[0-9])$/),
  )
  .map((parts) => parts.join("-"));
const zone = fc.oneof(
  fc.constantFrom("", "Z", " Z"),
  fc
    .tuple(fc.constantFrom("", " "), fc.constantFrom("+", "-"), two, fc.constantFrom("", ":00", ":30", ":99"))
    .map((parts) => parts.join("")),
);
const time = fc
  .tuple(
    fc.constantFrom("T", "t", " ", "  "),
    two,
    fc.stringMatching(/^[0-6][0-9]$/),
    fc.stringMatching(/^[0-6][0-9]$/),
    fc.constantFrom("", ".", ".5", ".250", ".1234567"),
    zone,
  )
  .map(
    ([between, hour, minute, second, fraction, offset]) =>
      `${between}${hour}:${minute}:${second}${fraction}${offset}`,
  );
const wide = fc.stringMatching(/^[-+]?[1-9][0-9]{14,40}$/);
const based = fc
  .tuple(
    sign,
    fc.constantFrom("0b", "0B", "0o", "0O", "0x", "0X", "0"),
    fc.stringMatching(/^[0-9a-fA-F_]{0,20}$/),
  )
  .map((parts) => parts.join(""));
const float = fc.oneof(
  fc
    .tuple(sign, digits, fc.constant("."), places, fc.option(exponent, { nil: "" }))
    .map((parts) => parts.join("")),
  fc.tuple(sign, fc.constant("."), places, fc.option(exponent, { nil: "" })).map((parts) => parts.join("")),
  fc.tuple(sign, digits, exponent).map((parts) => parts.join("")),
);
const sixties = fc
  .tuple(
    sign,
    fc.stringMatching(/^[0-9_]{1,3}$/),
    fc.array(fc.stringMatching(/^[0-7]?[0-9]$/), { minLength: 1, maxLength: 3 }),
    fc.constantFrom("", "", ".", ".5", ".2_5"),
  )
  .map(([before, first, rest, fraction]) => `${before}${[first, ...rest].join(":")}${fraction}`);
const whole = fc
  .tuple(sign, fc.oneof(digits, fc.stringMatching(/^0[0-9_]{0,5}$/)))
  .map((parts) => parts.join(""));

const made = fc.oneof(
  whole,
  based,
  float,
  sixties,
  word,
  date,
  fc.tuple(date, time).map((parts) => parts.join("")),
  wide,
);

/** The same with a letter put in or taken out here and there. */
const slipped = fc
  .tuple(made, fc.nat(30), fc.constantFrom("", "_", ".", "e", "0", "-", "+", "x", "a", "8"))
  .map(([text, at, letter]) => {
    const place = at % (text.length + 1);
    return `${text.slice(0, place)}${letter}${text.slice(letter === "" ? place + 1 : place)}`;
  });

/** One that is a scalar wherever it stands: no indicator of YAML's own, no blank at an end. */
export const plainScalar = fc
  .oneof({ weight: 3, arbitrary: made }, { weight: 1, arbitrary: slipped })
  .filter((text) => text !== "" && text === text.trim() && !/^(?:---|-$|[?] |- )|: |:$| #/.test(text));

/** What goes beyond one scalar: names given twice, aliases, `<<`, tags, blocks, quotes, more lines than one. */
export const documents: readonly string[] = [
  "a: 1\na: 2\n",
  "a: {x: 1, y: 2}\na: {x: 3}\n",
  "base: &b {p: 1, q: 2}\nv: {<<: *b, q: 3, r: 4}\n",
  "base: &b {p: 1}\nmore: &m {p: 2, s: 5}\nv: {z: 0, <<: [*b, *m]}\n",
  "v: &x [1, 2]\nw: *x\n",
  "v: !!str 12\nw: !!int '12'\nx: !!float 3\n",
  "v: |\n  one\n  two\nw: >-\n  one\n  two\n",
  "v: one\n  two\n  three\n",
  "v: \"1e3\"\nw: 'true'\n",
  "v: [yes, 1_0, 0x1f, 1e3, 07:30, 2021-03-05]\n",
  "v: {a: ~, b: , c: ''}\n",
  "a: b: c\n",
  "v: [1, 2\n",
  "v: @home\n",
  "v: *nothing\n",
  "? [1, 2]\n: 3\n",
  "- 1\n- two\n",
  "__proto__: {values: [1]}\nconstructor: 2\n",
  "# nothing but this before it\nv: 1 # and this behind it\n",
  "v: 340282366920938463463374607431768211456\nw: -9223372036854775808\nx: 18446744073709551615\n",
];
