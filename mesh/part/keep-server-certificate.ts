/**
 * TLS-7: the server's certificate is made anew long before its end, and the server takes it up without dropping anybody. Goes by the clock on the
 * wall, for a machine sleeps and clocks are set.
 */
import type { Outcome } from "../../protocol/refusal.ts";
import type { CertificateLife } from "../../protocol/certificate/certificate-life.ts";

export interface KeepServerCertificate {
  readonly life: CertificateLife;
  /** Writes another one. */
  readonly write: () => Outcome<unknown>;
  /** Makes the running server read it. */
  readonly reload: () => void;
  /** Unix time in ms. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

const lookMaxMs = 600_000;
/** Looks between two certificates. */
const looksPerRenewal = 4;

/** From when one was just written. Returns what ends it. */
export function keepServerCertificate({ life, log, now, reload, write }: KeepServerCertificate): () => void {
  let writtenMs = now();
  const timer = setInterval(
    () => {
      const at = now();
      // Set back, the clock would show one that has not begun yet.
      if (at >= writtenMs && at - writtenMs < life.renewMs) return;
      const written = write();
      if (!written.ok) return log(`server: its certificate is not renewed: ${written.refusal.message}`);
      writtenMs = at;
      reload();
    },
    Math.min(lookMaxMs, life.renewMs / looksPerRenewal),
  );
  timer.unref();
  return () => clearInterval(timer);
}
