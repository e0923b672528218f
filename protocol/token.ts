/**
 * Tokens, the mesh's money: one token is one second of the reference machine's work.
 * Amounts are whole milli-tokens everywhere, so that sums are exact; only views show tokens.
 */
import * as z from "zod";

export const milliTokensSchema = z.int().nonnegative();
/** A thousandth of a token. */
export type MilliTokens = number;

export const milliTokensPerToken = 1000;
/** Rates outside this band are measuring errors or forgeries; a lease is priced within it. */
export const rateMin = 0.02;
export const rateMax = 200;

export function clampRate(tokensPerSecond: number): number {
  if (!Number.isFinite(tokensPerSecond)) return rateMin;
  return Math.min(rateMax, Math.max(rateMin, tokensPerSecond));
}

/** The price of `ms` milliseconds at a rate in tokens per second, rounded up. */
export function priceOf(ms: number, rate: number): MilliTokens {
  return Math.ceil(ms * rate);
}

/** How many whole milliseconds an amount buys at a rate, rounded down: never more than is paid for. */
export function timeFor(amount: MilliTokens, rate: number): number {
  return Math.floor(amount / rate);
}

export function formatTokens(amount: MilliTokens): string {
  return (amount / milliTokensPerToken).toFixed(amount !== 0 && amount < 10_000 ? 2 : 1);
}
