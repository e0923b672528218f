/**
 * Numbers of an answer as JSON. A probability of FP32 has at most nine digits that mean something: from 2^-6 up, nine decimals name it
 * exactly, and a whole number is written several times faster than the shortest decimal of a double. Below that the usual way.
 */
const decimals = 1e9;
const fixedMin = 2 ** -6;
const zeros = ["", "0", "00", "000", "0000", "00000", "000000", "0000000", "00000000"];
const digits = 9;

/** `value`: finite. */
export function numberJson(value: number): string {
  if (value < fixedMin || value >= 1) return String(value);
  const whole = String(Math.round(value * decimals));
  return `0.${zeros[digits - whole.length] ?? ""}${whole}`;
}

/** With commas between. */
export function numbersJson(values: Float32Array): string {
  let json = "";
  for (let at = 0; at < values.length; at++)
    json += at === 0 ? numberJson(values[at] ?? 0) : `,${numberJson(values[at] ?? 0)}`;
  return json;
}
