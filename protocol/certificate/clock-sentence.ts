/**
 * TLS-3: a certificate that has not begun, or is over, as a sentence about clocks: it was made when the other side's clock showed a certain
 * time, and it is made anew often. Which certificate is meant is said by whoever asks.
 */
import { plural } from "../plural.ts";
import type { CertificateFault } from "./check-certificate.ts";
import type { CertificateLife } from "./certificate-life.ts";

export type ClockFault = Exclude<CertificateFault, { readonly kind: "foreign" }>;

export interface ClockSides {
  /** As in "this machine's clock", "agent tower's clock". */
  readonly own: string;
  readonly other: string;
}

/** `atMs`: what the own clock shows, Unix time in ms. `life`: of certificates of that kind. */
export function clockSentence(
  fault: ClockFault,
  atMs: number,
  life: CertificateLife,
  sides: ClockSides,
): string {
  const { other, own } = sides;
  switch (fault.kind) {
    case "not-yet-valid": {
      const madeMs = fault.beginsMs + life.backdatedMs;
      return `${own} clock is ${spanText(madeMs - atMs)} behind ${other}: it says ${momentText(atMs)}, and ${other} certificate was made at ${momentText(madeMs)}; set it, as with \`timedatectl set-ntp true\``;
    }
    case "expired": {
      const lastMs = fault.endedMs - life.lifeMs + life.renewMs;
      return `${own} clock is ${spanText(atMs - lastMs)} ahead of ${other}: it says ${momentText(atMs)}, and ${other} certificate, renewed long before its end, ended at ${momentText(fault.endedMs)}; set it, as with \`timedatectl set-ntp true\`, or, where it is right, see why nothing was renewed there`;
    }
  }
}

/** `2026-03-01 12:00 UTC`. */
export function momentText(atMs: number): string {
  const at = new Date(atMs);
  return Number.isNaN(at.getTime()) ? "no time" : `${at.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

const units = [
  { name: "day", ms: 86_400_000 },
  { name: "hour", ms: 3_600_000 },
  { name: "minute", ms: 60_000 },
] as const;
/** From so many on the next larger unit is as clear. */
const clearMin = 2;

/** In the largest unit of which there are two or more: `3 days`, `36 hours`. */
export function spanText(ms: number): string {
  const unit = units.find((candidate) => ms >= clearMin * candidate.ms) ?? units[2];
  return plural(Math.max(1, Math.round(ms / unit.ms)), unit.name);
}

/** Clocks that differ by less trouble nobody. */
const skewToldMs = 300_000;

/** Two clocks that should show the same, as a sentence; null where they do, or nearly. Unix times in ms. */
export function skewSentence(ownMs: number, otherMs: number, { other, own }: ClockSides): string | null {
  const behindMs = otherMs - ownMs;
  // What is no time is none that a clock shows.
  if (!Number.isFinite(behindMs) || Math.abs(behindMs) < skewToldMs) return null;
  const [much, how] = [spanText(Math.abs(behindMs)), behindMs > 0 ? "behind" : "ahead of"];
  return `${own} clock is ${much} ${how} ${other}: it says ${momentText(ownMs)}, and ${other} ${momentText(otherMs)}; set it, as with \`timedatectl set-ntp true\``;
}
