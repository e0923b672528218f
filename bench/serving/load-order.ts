/** What the load's process is asked for, and what it answers. */
import * as z from "zod";

export const loadOrderSchema = z.object({
  port: z.number(),
  path: z.string(),
  token: z.string().nullable(),
  bodies: z.array(z.string()),
  connections: z.number(),
  seconds: z.number(),
  /** Requests a second; null for as many as are answered. */
  rate: z.number().nullable(),
});
export type LoadOrder = z.infer<typeof loadOrderSchema>;

export const loadResultSchema = z.object({
  requests: z.number(),
  seconds: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  failed: z.number(),
});
export type LoadResult = z.infer<typeof loadResultSchema>;
