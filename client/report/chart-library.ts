/**
 * The chart library as one script: Apache ECharts, which goes into every report so that a report needs no network. It and the page's own
 * script and style are read here and nowhere else.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { projectFolder } from "../../training/version/code-version.ts";

export interface PageParts {
  readonly library: string;
  readonly script: string;
  readonly style: string;
}

export function readPageParts(): PageParts {
  const page = (file: string) => readFileSync(join(projectFolder, "client", "report", "page", file), "utf8");
  const library = createRequire(import.meta.url).resolve("echarts/dist/echarts.min.js");
  return {
    library: readFileSync(library, "utf8"),
    script: page("report.mjs"),
    style: page("report.css"),
  };
}
