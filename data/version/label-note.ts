/** What is odd about labels as they came, in sentences: white space that was trimmed, labels that look the same and are not. */
import { plural } from "../../protocol/plural.ts";
import { lookAlikes, toldApart } from "../../text/look-alike.ts";

const listedMost = 5;

/** Of `trimmed` rows white space was taken off the label. Without a full stop. */
export function trimmedSentence(column: string, trimmed: number): string {
  return `${plural(trimmed, "row")} with white space at the ends of ${column}, which was trimmed: labels are the same without it`;
}

/** One for each group of labels that look the same, with the labels of the group. Without a full stop. */
export function lookAlikeSentences(
  column: string,
  labels: readonly string[],
): readonly { readonly labels: readonly string[]; readonly sentence: string }[] {
  const shown = toldApart(labels);
  return lookAlikes(labels).map((group) => {
    const named = group.slice(0, listedMost).map((label) => `"${shown.get(label) ?? label}"`);
    const rest = group.length > named.length ? ` and ${group.length - named.length} more` : "";
    return {
      labels: group,
      sentence: `${column} has labels that look the same and are different: ${named.join(", ")}${rest}; map-label can make them one`,
    };
  });
}

export function labelNotes(column: string, labels: readonly string[], trimmed: number): readonly string[] {
  return [
    ...(trimmed === 0 ? [] : [trimmedSentence(column, trimmed)]),
    ...lookAlikeSentences(column, labels).map(({ sentence }) => sentence),
  ];
}
