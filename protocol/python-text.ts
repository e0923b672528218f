/** A value as Python's `str` writes it, for that is what W&B puts into a command line: True, None, [1, 'a']. */

export function pythonText(value: unknown): string {
  return typeof value === "string" ? value : pythonRepr(value);
}

function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return pythonNumber(value);
  if (typeof value === "string") return pythonQuoted(value);
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(", ")}]`;
  const entries = Object.entries(value);
  return `{${entries.map(([key, inner]) => `${pythonQuoted(key)}: ${pythonRepr(inner)}`).join(", ")}}`;
}

function pythonNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  // JavaScript goes over to exponents later than Python does, and writes them with one digit.
  if (value !== 0 && Math.abs(value) < 1e-4) {
    const [mantissa = "", exponent = ""] = value.toExponential().split("e-");
    return `${mantissa}e-${exponent.padStart(2, "0")}`;
  }
  return String(value);
}

/** Single quotes, unless only double ones go without a backslash. */
function pythonQuoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t")
    .replaceAll(quote, `\\${quote}`);
  return `${quote}${escaped}${quote}`;
}
