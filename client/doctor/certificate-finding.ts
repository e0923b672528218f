/** What `trialmesh doctor` finds of certificates: whom this home believes, what the server shows, until when, and what that says of the clocks. */
import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../../mesh/home.ts";
import { serverFault, shownCertificates } from "../../mesh/server-fault.ts";
import { UntrustedServer } from "../../protocol/bus/bus-tls.ts";
import { pinOf, shownPin } from "../../protocol/certificate/authority-pin.ts";
import { serverLife } from "../../protocol/certificate/certificate-life.ts";
import { lifeOf } from "../../protocol/certificate/check-certificate.ts";
import { momentText, spanText } from "../../protocol/certificate/clock-sentence.ts";
import type { Finding } from "./doctor-finding.ts";

/** `nowMs`: Unix time. */
export async function certificateFindings(home: Home, nowMs: number): Promise<readonly Finding[]> {
  const { tls, url } = home;
  if (tls === null) return [ok("tls", `${url} is reached without TLS`)];
  const fault = await serverFault({ tls, url }, nowMs);
  if (fault !== null) {
    const { message } = new UntrustedServer(url, fault);
    const advice = fault.kind === "clock" ? "set the clock, then look again" : "see `trialmesh join --help`";
    return [bad("fail", fault.kind === "clock" ? "clock" : "tls", message, advice)];
  }
  if (tls.kind === "named") return [ok("tls", `the certificate of ${url} is believed, by its name`)];
  const pin = shownPin(pinOf(new X509Certificate(tls.authority).publicKey));
  const [shown] = (await shownCertificates(url)) ?? [];
  const authority = ok("tls", `mesh ${home.mesh} is known by its authority, pin ${pin}`);
  const own = ownFindings(home, nowMs);
  return shown === undefined ? [authority, ...own] : [authority, serverFinding(shown, nowMs), ...own];
}

/** It is made anew every day: how old it is says whether two clocks agree, to a day. */
function serverFinding(shown: X509Certificate, nowMs: number): Finding {
  const { beginsMs, endedMs } = lifeOf(shown);
  const ageMs = nowMs - beginsMs - serverLife.backdatedMs;
  const found = `the server's certificate ends at ${momentText(endedMs)}`;
  return ageMs <= 2 * serverLife.renewMs
    ? ok("certificate", found)
    : bad(
        "warn",
        "certificate",
        `${found} and was made ${spanText(ageMs)} ago, by this machine's clock, where a new one is made every day`,
        "this clock is ahead, or `trialmesh up` does not renew it: its log says why",
      );
}

/** Those with which processes of this home show who they are to others. */
function ownFindings({ path }: Home, nowMs: number): readonly Finding[] {
  const folder = join(path, "tls");
  let files: readonly string[];
  try {
    files = readdirSync(folder).filter((file) => /^[a-z]+\.[a-z0-9-]+\.pem$/.test(file));
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    const [role = "", name = ""] = file.split(".");
    try {
      const { endedMs } = lifeOf(new X509Certificate(readFileSync(join(folder, file))));
      return endedMs > nowMs
        ? []
        : [
            bad(
              "warn",
              "certificate",
              `that of ${role} ${name} ended at ${momentText(endedMs)}`,
              "it is renewed once it runs and `trialmesh up` answers",
            ),
          ];
    } catch {
      return [
        bad(
          "warn",
          "certificate",
          `${join(folder, file)} holds none`,
          "it is made anew once the process runs",
        ),
      ];
    }
  });
}

function ok(check: string, found: string): Finding {
  return { check, verdict: "ok", found, advice: null };
}

function bad(verdict: "warn" | "fail", check: string, found: string, advice: string): Finding {
  return { check, verdict, found, advice };
}
