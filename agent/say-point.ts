/**
 * Points and log lines as messages that their streams take: a point with many metrics goes out as several that count as
 * one, a long line as several lines. What fits no message at all is left out.
 */
import { toBytes } from "../protocol/json-bytes.ts";
import type { Metrics, logLineSchema, metricPointSchema } from "../protocol/report.ts";
import { lineBytesMax, pointBytesMax } from "../protocol/subjects.ts";
import type * as z from "zod";

export function pointMessages(point: z.infer<typeof metricPointSchema>): Uint8Array[] {
  const whole = toBytes(point);
  if (whole.length <= pointBytesMax) return [whole];
  const entries = Object.entries(point.metrics);
  const half = Math.floor(entries.length / 2);
  if (half === 0) return [];
  const part = (metrics: Metrics) => pointMessages({ ...point, metrics });
  return [
    ...part(Object.fromEntries(entries.slice(0, half))),
    ...part(Object.fromEntries(entries.slice(half))),
  ];
}

export function lineMessages(said: z.infer<typeof logLineSchema>): Uint8Array[] {
  const whole = toBytes(said);
  if (whole.length <= lineBytesMax) return [whole];
  const characters = [...said.line];
  const half = Math.floor(characters.length / 2);
  if (half === 0) return [];
  const part = (from: number, to?: number) =>
    lineMessages({ ...said, line: characters.slice(from, to).join("") });
  return [...part(0, half), ...part(half)];
}
