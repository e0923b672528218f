/** What `transform.json` means, in a card's sentences: enough to write the transformation again in another language. */
import type { GraphColumns } from "./graph/feature-front.ts";
import type { PortableStep } from "./portable-plan.ts";
import type { TransformDescription } from "./transform-description.ts";

export function transformLines({
  features,
  graph,
  missing,
  steps,
  text,
}: TransformDescription): readonly string[] {
  const words = missing.words.map((word) => JSON.stringify(word)).join(", ");
  return [
    `1. A value is missing where it is null${words === "" ? "" : `, one of ${words}`}, or empty${missing.emptyIsText ? " in a column that is no text" : ""}.`,
    ...(steps.length === 0
      ? []
      : [`2. The steps of \`steps\` are done in their order: ${steps.map(stepText).join("; ")}.`]),
    ...(text?.kind === "ngrams" ? ngramLines(text) : []),
    ...(text?.kind === "tokens" ? tokenLines(text) : []),
    ...(features === undefined ? [] : featureLines),
    ...(graph === undefined ? [] : graphLines(graph)),
  ];
}

function stepText(step: PortableStep): string {
  switch (step.step) {
    case "rename":
      return "`rename` gives columns other names";
    case "concat":
      return "`concat` joins the columns that have a value, with the separator between them";
    case "map-label":
      return "`map-label` takes white space off the ends and looks the value up in `map`";
    case "clean":
      return "`clean` decodes entities and takes tags out (`html`), resolves `escapes`, takes the Unicode form, lower case letter by letter, and single spaces, in this order, each where it is set; an empty text is then missing";
    default:
      return step satisfies never;
  }
}

function ngramLines({
  binary,
  bucketBits,
  charMax,
  charMin,
  wordNgrams,
}: Extract<TransformDescription["text"], { kind: "ngrams" }>): readonly string[] {
  return [
    "3. The text (an empty one where it is missing) is brought to Unicode form NFC and to lower case, and cut into words at white space.",
    ...(charMax === 0
      ? []
      : [
          `4. Each word is put between \`<\` and \`>\`. Of it, from each UTF-16 unit on, all runs of ${charMin} to ${charMax} units are hashed, short ones first, but for the two marks alone: h = 0x811c9dc5 xor 0x1b873593, and for each unit h = (h xor unit) × 0x01000193, modulo 2^32.`,
        ]),
    "5. A word's own hash is the same over its units with both marks, begun with 0x811c9dc5 xor 0x3c6ef372, and then mixed.",
    `6. Of the list 0x5bd1e995, then the words' hashes, all runs of up to ${wordNgrams} from each place on are hashed, but for the first place alone: h = 0, and for each h = mix(h × 31 + hash). They stand behind all of the words' runs.`,
    "7. mix(h): h xor h >> 16, × 0x85ebca6b, xor itself >> 13, × 0xc2b2ae35, xor itself >> 16; what step 4 gives is mixed too.",
    `8. The lowest ${bucketBits} bits name a bucket. \`buckets.bin\` lists the bucket of each row of the weight table; an n-gram whose bucket is not there is left out${binary ? ", and one that has come before" : ""}. The rows, in this order, are the graph's input; the number of rows stands for none and fills up.`,
  ];
}

function tokenLines({
  length,
  unit,
}: Extract<TransformDescription["text"], { kind: "tokens" }>): readonly string[] {
  return [
    "3. The text (an empty one where it is missing) is brought to Unicode form NFC, and white space is taken off its ends.",
    unit === "char"
      ? "4. Its tokens are a space, its characters, and a space."
      : "4. Its tokens are what white space separates in its lower case.",
    `5. A token's number is its place in \`vocabulary.json\`, from 2 on, and 1 where it is not there. The first ${length} are the graph's input; 0 fills up.`,
  ];
}

function graphLines({ categories, numbers }: GraphColumns): readonly string[] {
  return [
    "5. The graph does step 4 itself. `graph` in `transform.json` lists the columns of its inputs in their order:",
    ...(numbers.length === 0
      ? []
      : [`   - \`numbers\`, in double precision with NaN for none: ${numbers.length} columns`]),
    ...(categories.length === 0
      ? []
      : [`   - \`categories\`, words with \`missing\` for none: ${categories.length} columns`]),
  ];
}

const featureLines = [
  "3. Each entry of `features` makes one or more numbers of a column, in this order. A number may come as such, as text, as yes or no (1 or 0), or as a date or moment (days since 1970, in parts); what is not finite is missing.",
  "4. `numeric`: (value - offset) × factor, with `fill` for what is missing. `buckets`: one number for each of `bounds` and one more, 1 for the first bound that the value is not above, else for the last. `categories`: one for each of `values` and one more, 1 for the value, else for the last.",
];
