/** One thing that `trialmesh doctor` looked at, and what it found. */
export interface Finding {
  readonly check: string;
  readonly verdict: "ok" | "warn" | "fail";
  readonly found: string;
  /** What to do about it; null when nothing is to be done. */
  readonly advice: string | null;
}
