/** The frame of every page: one HTML file that needs no network, and runs only its own script. */
import type { PageParts } from "./chart-library.ts";
import { escapeHtml, jsonInScript } from "./escape.ts";

/** The page may run its own script and draw; it may load nothing. */
const contentPolicy =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

/** By which a page is known for one of ours. */
export const pageMark = '<meta name="generator" content="trialmesh">';

export interface HtmlPage {
  readonly title: string;
  readonly subtitle: string;
  /** Terms and their texts, at the top. */
  readonly facts: readonly (readonly [string, string])[];
  /** Added to the style of all pages. */
  readonly style?: string;
  /** Markup. */
  readonly main: string;
  /** Markup between the main part and the scripts. */
  readonly after?: string;
  /** What is said where no script runs. */
  readonly noScript: string;
  /** What the script draws from. */
  readonly data: unknown;
}

export function htmlPage(
  { after = "", data, facts, main, noScript, style = "", subtitle, title }: HtmlPage,
  parts: PageParts,
): string {
  const listed = facts
    .map(([term, text]) => `<div><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(text)}</dd></div>`)
    .join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
${pageMark}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy}">
<title>${escapeHtml(title)}</title>
<style>${parts.style}${style}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<p>${escapeHtml(subtitle)}</p>
<dl class="facts">${listed}</dl>
</header>
<main>
${main}
</main>
${after}<noscript><p>${escapeHtml(noScript)}</p></noscript>
<script>${parts.library}</script>
<script type="application/json" id="data">${jsonInScript(data)}</script>
<script type="module">${parts.script}</script>
</body>
</html>
`;
}
