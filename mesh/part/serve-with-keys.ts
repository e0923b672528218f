/** What `trialmesh up` does itself with the mesh's keys while it runs: lets invited machines in, certifies, renews, holds back who floods. */
import type { Home } from "../home.ts";
import { serveCertificates } from "./serve-certificate.ts";
import { serveExchange } from "./serve-exchange.ts";
import { serveRenewals } from "./serve-renewal.ts";
import { watchTraffic } from "./watch-traffic.ts";

export interface WithKeys {
  stop(): Promise<void>;
}

/** The mesh works without either: nobody new comes, nobody is held back, and a line says so. */
export async function serveWithKeys(
  home: Home,
  bytesPerDay: number | null,
  log: (line: string) => void,
): Promise<WithKeys> {
  const exchange = await serveExchange(home, Date.now, log);
  if (!exchange.ok) log(`invitations: ${exchange.refusal.message}`);
  const traffic = await watchTraffic({ home, bytesPerDay, now: Date.now, log });
  if (!traffic.ok) log(`quotas: ${traffic.refusal.message}`);
  const certificates = await serveCertificates({ home, now: Date.now, log });
  if (!certificates.ok) log(`certificates: ${certificates.refusal.message}`);
  const renewals = await serveRenewals(home, Date.now, log);
  if (!renewals.ok) log(`renewals: ${renewals.refusal.message}`);
  return {
    async stop() {
      if (renewals.ok) await renewals.value?.stop();
      if (certificates.ok) await certificates.value.stop();
      if (exchange.ok) await exchange.value.stop();
      if (traffic.ok) await traffic.value.stop();
    },
  };
}
