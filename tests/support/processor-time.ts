/** Processor time of this process so far, ms: what work costs, however much else the machine has to do. */
export function processorMs(): number {
  const { system, user } = process.cpuUsage();
  return (system + user) / 1_000;
}
