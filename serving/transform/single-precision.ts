/** A number as a dataset version holds it: in single precision, and without the sign of a zero, which its file does not keep. */
export function singlePrecision(value: number): number {
  return Math.fround(value) + 0;
}
