/** Rungs at a regular interval, for policies that watch a curve. None before the grace: a segment that nobody judges would cost a start. */

export function intervalRungs(interval: number, grace: number, max: number): number[] {
  const rungs: number[] = [];
  for (let resource = grace; resource < max; resource += interval) rungs.push(resource);
  rungs.push(max);
  return rungs;
}
