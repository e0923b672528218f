/**
 * Windows: GetLastInputInfo, asked by one PowerShell that goes on and prints a line each half second; to start
 * one for each question would keep a processor busy. It sees the input of its own logon session only.
 */
import { lineSource } from "./line-source.ts";
import type { IdleReading, IdleSource } from "./idle-source.ts";

const script = `
Add-Type @'
using System; using System.Runtime.InteropServices;
public static class Input {
  [StructLayout(LayoutKind.Sequential)] struct Last { public uint cbSize; public uint dwTime; }
  [DllImport("user32.dll")] static extern bool GetLastInputInfo(ref Last last);
  public static string Idle() {
    var last = new Last(); last.cbSize = (uint)Marshal.SizeOf(last);
    return GetLastInputInfo(ref last) ? unchecked((uint)Environment.TickCount - last.dwTime).ToString() : "unknown";
  }
}
'@
while ($true) { [Console]::Out.WriteLine([Input]::Idle()); [Console]::Out.Flush(); Start-Sleep -Milliseconds 500 }
`;

/** `now`: monotonic ms. */
export function windowsInput(now: () => number): IdleSource {
  const parameters = ["-NoProfile", "-NonInteractive", "-Command", script];
  return lineSource({ name: "windows", program: "powershell.exe", parameters, parse: readWindowsLine, now });
}

/** Ms, alone on a line. */
export function readWindowsLine(line: string): IdleReading {
  const word = line.trim();
  return /^\d+$/.test(word)
    ? { kind: "idle", source: "windows", ms: Number(word) }
    : { kind: "unknown", why: "Windows does not tell when the last input was" };
}
