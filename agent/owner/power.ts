/** Is the machine on its battery, and how hot is its processor? Null where that cannot be known: most desktops have no battery. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import si from "systeminformation";

export interface Power {
  readonly onBattery: boolean | null;
  /** Degrees Celsius. */
  readonly celsius: number | null;
}

const linuxSupplies = "/sys/class/power_supply";
/** No processor reports less and runs: a sensor that says so is none. */
const celsiusMin = 1;

export async function readPower(wanted: {
  readonly battery: boolean;
  readonly heat: boolean;
}): Promise<Power> {
  const [onBattery, celsius] = await Promise.all([
    wanted.battery ? battery().catch(() => null) : null,
    wanted.heat ? heat().catch(() => null) : null,
  ]);
  return { onBattery, celsius };
}

async function battery(): Promise<boolean | null> {
  if (process.platform === "linux") return onLinuxBattery(await supplies());
  const { acConnected, hasBattery, isCharging } = await si.battery();
  return hasBattery ? !acConnected && !isCharging : null;
}

async function heat(): Promise<number | null> {
  const { main } = await si.cpuTemperature();
  return typeof main === "number" && main >= celsiusMin ? main : null;
}

/** The kernel's own word for each battery: a charger's plug is named differently on every kind of laptop. */
async function supplies(): Promise<string[]> {
  const names = await readdir(linuxSupplies).catch((): string[] => []);
  return Promise.all(
    names.map((name) => readFile(join(linuxSupplies, name, "uevent"), "utf8").catch(() => "")),
  );
}

/** Each supply's `uevent`. Batteries of mice and keyboards have scope Device and do not count. */
export function onLinuxBattery(uevents: readonly string[]): boolean | null {
  const states = uevents
    .filter((text) => /^POWER_SUPPLY_TYPE=Battery$/m.test(text) && !/^POWER_SUPPLY_SCOPE=Device$/m.test(text))
    .flatMap((text) => /^POWER_SUPPLY_STATUS=(.+)$/m.exec(text)?.[1]?.trim() ?? []);
  if (states.length === 0) return null;
  return states.includes("Discharging");
}
