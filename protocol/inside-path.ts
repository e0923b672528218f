/** A relative path with slashes that stays in its folder, on every system. */
export function isInsidePath(path: string): boolean {
  // A colon would name a drive or a stream on Windows, a backslash a folder.
  // oxlint-disable-next-line no-control-regex -- a NUL ends a path for the system
  if (/[\\:\0]/.test(path) || path.startsWith("/")) return false;
  return path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}
