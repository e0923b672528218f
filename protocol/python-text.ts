/**
 * JSON as Python's `str` writes what it stands for, because that is what W&B puts into a command line: True, None, 1e-05,
 * [1, 'a']. Texts in and out, so that no digit goes through a number of JavaScript's.
 */

const token = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN|true|false|null|-?\d[\d.eE+-]*|[,:]/g;

/** `json`: JSON without spaces, in which NaN and Infinity may stand too. A text is written without quotes where it is all. */
export function pythonText(json: string): string {
  if (json.startsWith('"')) return textOf(json);
  return json.replaceAll(token, (found) => {
    switch (found) {
      case ",":
        return ", ";
      case ":":
        return ": ";
      case "null":
        return "None";
      case "true":
        return "True";
      case "false":
        return "False";
      case "NaN":
        return "nan";
      case "Infinity":
        return "inf";
      case "-Infinity":
        return "-inf";
      default:
        if (found.startsWith('"')) return pythonQuoted(textOf(found));
        return /^-?\d+$/.test(found) ? found : pythonFloat(Number(found));
    }
  });
}

/** A float as Python writes it: the shortest digits that are this number, with a dot or an exponent. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const [digits = "", exponent = ""] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16)
    return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  const plain = Object.is(value, -0) ? "-0" : String(value);
  return Number.isInteger(value) ? `${plain}.0` : plain;
}

/** The text that a JSON text stands for. */
function textOf(json: string): string {
  return String(JSON.parse(json));
}

/** Single quotes, unless only double ones go without a backslash; what cannot be seen as Python's escapes. */
function pythonQuoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replaceAll(quote, `\\${quote}`)
    .replaceAll(/(?! )[\p{C}\p{Z}]/gu, escapeOf);
  return `${quote}${escaped}${quote}`;
}

function escapeOf(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  if (code.length <= 2) return `\\x${code.padStart(2, "0")}`;
  return code.length <= 4 ? `\\u${code.padStart(4, "0")}` : `\\U${code.padStart(8, "0")}`;
}
