/** Paths in a dataset file: ${NAME} stands for a variable of the environment, and a relative path starts at the file. */
import { dirname, isAbsolute, resolve } from "node:path";

export interface PathReading {
  /** Path of the dataset file. */
  readonly file: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export type FilePath =
  | { readonly ok: true; readonly path: string }
  | { readonly ok: false; readonly message: string };

/** Absolute; whether anything is there is not looked at. */
export function filePath({ file, environment }: PathReading, given: string): FilePath {
  let unset: string | null = null;
  const expanded = given.replaceAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/gu, (_, name: string) => {
    const value = environment[name] ?? "";
    if (value === "") unset ??= name;
    return value;
  });
  if (unset !== null)
    return {
      ok: false,
      message: `${String(unset)} is not set; set it to the folder that holds the data, as in ${String(unset)}=/path/to/data`,
    };
  return { ok: true, path: isAbsolute(expanded) ? expanded : resolve(dirname(file), expanded) };
}
