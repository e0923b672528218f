/**
 * JSON as a text that PyYAML reads as the same values: YAML 1.1 takes an exponent for a number only with a dot before it and a sign
 * in it, and no other characters than printable ones. It reads no YAML.
 */

/** A JSON text's strings, with the colon behind a key, and its numbers. */
const token = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** `json` must be JSON. Numbers keep their digits. */
export function pyyamlText(json: string): string {
  return json.replaceAll(token, (found, text: string | undefined, colon: string | undefined) =>
    text === undefined ? withDot(found) : `${plainText(text)}${colon === undefined ? "" : ": "}`,
  );
}

function withDot(number: string): string {
  const [, whole = number, exponent] = /^([^eE]*)(?:[eE](.*))?$/.exec(number) ?? [];
  if (exponent === undefined) return number;
  const signed = /^[+-]/.test(exponent) ? exponent : `+${exponent}`;
  return `${whole.includes(".") ? whole : `${whole}.0`}e${signed}`;
}

/** Every character beyond ASCII by its code: pairs that JSON writes as two are one in YAML. */
function plainText(quoted: string): string {
  const given: unknown = JSON.parse(quoted);
  const text = typeof given === "string" ? given : "";
  const inside = [...text].map((character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '"' || character === "\\") return `\\${character}`;
    if (code >= 0x20 && code < 0x7f) return character;
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
  return `"${inside.join("")}"`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
