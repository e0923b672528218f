/** A date or a time as Python's `str` writes what PyYAML makes of it. Whether a text is one is not asked here. */
import { asFault, type Meaning } from "./scalar.ts";

const parts =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(?:(Z)|([-+])(\d\d?)(?::(\d\d))?))?)?$/;
const minutesPerDay = 24 * 60;
const microsecondDigits = 6;

export function pythonDate(text: string): Meaning {
  const found = parts.exec(text);
  if (found === null) return asFault("it is no date");
  const [, year = "", month = "", day = "", hour, minute = "", second = "", fraction = ""] = found;
  const fault =
    dayFault(Number(year), Number(month), Number(day)) ??
    (hour === undefined ? null : timeFault(Number(hour), Number(minute), Number(second)));
  if (fault !== null) return asFault(fault);
  const date = `${year}-${two(month)}-${two(day)}`;
  if (hour === undefined) return { kind: "date", value: date };
  const zone = zoneText(found);
  if (zone === null) return asFault("an offset is less than 24 hours");
  const micro = fraction.slice(0, microsecondDigits).padEnd(microsecondDigits, "0");
  const beyond = Number(micro) === 0 ? "" : `.${micro}`;
  return { kind: "date", value: `${date} ${two(hour)}:${minute}:${second}${beyond}${zone}` };
}

function dayFault(year: number, month: number, day: number): string | null {
  if (year < 1) return "year is out of range";
  if (month < 1 || month > 12) return "month must be in 1 to 12";
  // The day before the next month's first.
  const last = new Date(Date.UTC(2000, month, 0)).getUTCDate();
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day < 1 || day > (month === 2 && !leap ? last - 1 : last) ? "day is out of range for month" : null;
}

function timeFault(hour: number, minute: number, second: number): string | null {
  if (hour > 23) return "hour must be in 0 to 23";
  if (minute > 59) return "minute must be in 0 to 59";
  return second > 59 ? "second must be in 0 to 59" : null;
}

function zoneText(found: RegExpExecArray): string | null {
  const [utc, sign, hours, minutes = "0"] = found.slice(8);
  if (utc !== undefined) return "+00:00";
  if (sign === undefined || hours === undefined) return "";
  const offset = Number(hours) * 60 + Number(minutes);
  if (offset >= minutesPerDay) return null;
  const plain = offset === 0 ? "+" : sign;
  return `${plain}${two(String(Math.floor(offset / 60)))}:${two(String(offset % 60))}`;
}

function two(digits: string): string {
  return digits.padStart(2, "0");
}
