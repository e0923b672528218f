/** The coordinator's limits. Relations that must hold between them are asserted where they are made. */
export interface CoordinatorSettings {
  /** Horizon of a lease and of each extension, ms. */
  readonly leaseMs: number;
  /** A lease shorter than this is not worth starting, ms. */
  readonly horizonMinMs: number;
  /** Past the horizon, how long an agent's last report is waited for before its attempt counts as lost, ms. */
  readonly graceMs: number;
  /** Agents send a heartbeat this often, ms. */
  readonly heartbeatMs: number;
  /** An agent not heard for this long gets no new work, ms. */
  readonly silentMs: number;
  /** The leader's beacon, ms. */
  readonly beaconMs: number;
  /** A candidate tries to lead after this long without a beacon or an answer, ms; a random part is added. */
  readonly leaderSilentMs: number;
  /** An order not yet confirmed is sent again after this long, ms. */
  readonly resendMs: number;
  /** An agent not heard for this long is gone for good, as far as what it alone keeps counts, ms. */
  readonly lostMs: number;
  /** A requester below its share waits so long before a slot is taken from one above its share, ms. */
  readonly preemptAfterMs: number;
  /** Failures that are not the trial's own before it is given up. */
  readonly retriesMax: number;
  /** What could go from the mesh's store is looked at this often, ms. */
  readonly collectEveryMs: number;
  /** Whoever leads collects nothing before this long, ms: what was said to the one before has been heard by then. */
  readonly collectRestMs: number;
  /** Curves and logs of trials whose sweep goes on are archived this often, ms; sooner where many have come. */
  readonly archiveEveryMs: number;
  /** What an attempt said has come to its stream this long after its end, ms. */
  readonly archiveRestMs: number;
}

export const defaultSettings: CoordinatorSettings = settingsFor(15_000);

/** Settings that belong together, scaled by the lease: tests run with short leases, people with 15 s. */
export function settingsFor(leaseMs: number): CoordinatorSettings {
  const settings: CoordinatorSettings = {
    leaseMs,
    horizonMinMs: Math.min(2_000, leaseMs / 4),
    graceMs: Math.min(3_000, leaseMs / 3),
    heartbeatMs: Math.min(2_000, leaseMs / 6),
    silentMs: Math.min(7_000, leaseMs / 2),
    beaconMs: 1_000,
    leaderSilentMs: 4_000,
    resendMs: Math.min(2_000, leaseMs / 4),
    lostMs: leaseMs * 40,
    preemptAfterMs: leaseMs * 2,
    retriesMax: 3,
    collectEveryMs: leaseMs * 240,
    collectRestMs: leaseMs * 20,
    archiveEveryMs: leaseMs * 40,
    archiveRestMs: 2_000,
  };
  // Three heartbeats must fit before half a lease is gone, or an extension could come too late.
  if (settings.heartbeatMs * 3 > leaseMs / 2 + 1) throw new Error("heartbeatMs is too long for leaseMs");
  return settings;
}
