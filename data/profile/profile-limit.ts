/** How much a profile keeps and lists. What lies above a limit is counted or estimated, and the profile says so. */

/** Rows listed of one group, and groups listed of one kind. */
export const listedRowsMost = 6;
export const listedGroupsMost = 50;
export const examplesMost = 5;
/** Code points of a text that a listed row shows. */
export const excerptCharacters = 160;
export const frequentListedMost = 10;
export const histogramBins = 20;
export const quantileShares = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const;
/** Different normalised texts kept to find repeats exactly; beyond, every second one is let go, then every fourth, ... */
export const groupedTextsMost = 12_000_000;
/**
 * Rows whose text is looked into (languages, Unicode, personal data, tokens, near duplicates): all of a set of up to
 * `scannedWholeMost`, of a larger one as many as `scannedDrawn`, since pairs drawn apart cannot be found anyway.
 */
export const scannedWholeMost = 200_000;
export const scannedDrawn = 20_000;
/** UTF-16 code units of a normalised text that are compared for near duplicates and cut into tokens. */
export const comparedUnits = 2_000;
/** Enough of a text to tell its language. */
export const languageUnits = 400;
export const languageWords = 60;
export const nearThreshold = 0.8;
export const shingleCharacters = 4;
/** Code units of a value that a list of frequent values shows. */
export const frequentUnitsMost = 80;
