/**
 * Regular expressions that somebody else wrote: RE2's, which are Go's and so Katib's. One takes time in proportion to the text,
 * whatever stands in it. Not JavaScript's, which differ in what they mean; patterns of our own are those.
 */
import { RE2JS, RE2JSException, RE2JSSyntaxException } from "re2js";
import { accept, refuse, type Outcome } from "../protocol/refusal.ts";

/** What a group took, and where it stands in the text. */
export interface MatchedGroup {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

interface Match {
  /** Behind its last character. */
  readonly to: number;
  /** Null where a group took no part. */
  readonly groups: readonly (MatchedGroup | null)[];
}

export interface RegularExpression {
  readonly groups: number;
  /** Whether it is found anywhere, an empty match too. */
  finds(text: string): boolean;
  /** Every match that is not empty, from left to right. */
  matches(text: string): readonly Match[];
}

/** A refusal that says what of it RE2 does not have, or what is wrong with it. */
export function regularExpression(source: string): Outcome<RegularExpression> {
  try {
    return accept(matching(RE2JS.compile(source)));
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) {
      const part = error.getPattern() ?? "";
      const nameless = error.getDescription() === duplicateName ? withoutName(source, part) : source;
      return nameless === source
        ? refuse("invalid", syntaxFault(error.getDescription(), part))
        : regularExpression(nameless);
    }
    // Its size is only known once it is laid out.
    if (error instanceof RE2JSException || error instanceof RangeError) return refuse("invalid", tooLarge);
    throw error;
  }
}

function matching(compiled: RE2JS): RegularExpression {
  const groups = compiled.groupCount();
  return {
    groups,
    finds: (text) => compiled.matcher(text).find(),
    matches(text) {
      const matcher = compiled.matcher(text);
      const found: Match[] = [];
      const group = (index: number): MatchedGroup | null => {
        const taken = matcher.group(index);
        return taken === null ? null : { text: taken, from: matcher.start(index), to: matcher.end(index) };
      };
      while (matcher.find()) {
        if (matcher.end() === matcher.start()) continue;
        found.push({ to: matcher.end(), groups: Array.from({ length: groups }, (_, at) => group(at + 1)) });
      }
      return found;
    },
  };
}

const duplicateName = "duplicate capture group name";

/** Go lets groups share a name, and nobody asks here what a group is called. */
function withoutName(source: string, name: string): string {
  return source.replaceAll(`(?P<${name}>`, "(").replaceAll(`(?<${name}>`, "(");
}

const tooLarge =
  "is too large: repetitions of repetitions multiply, and 1000 is the most that they may come to";

/** What other dialects have in place of a plain group. */
const groupFaults: readonly (readonly [opening: string, fault: string])[] = [
  ["(?=", "looks ahead by (?=…), which RE2 does not have; match what follows too, outside of the two groups"],
  ["(?!", "looks ahead by (?!…), which RE2 does not have; list what may follow, as in ([^,]|$)"],
  [
    "(?<=",
    "looks behind by (?<=…), which RE2 does not have; match what stands before too, outside of the groups",
  ],
  ["(?<!", "looks behind by (?<!…), which RE2 does not have; list what may stand before, as in (?:^|[^a-z])"],
  ["(?>", "has an atomic group (?>…), which RE2 does not have and does not need: write (?:…)"],
  ["(?#", "has a comment (?#…), which RE2 does not have; leave it out"],
  ["(?P", "refers back by (?P=…), which RE2 does not have; write the group's pattern again"],
  ["(?(", "has a condition (?(…), which RE2 does not have; write the alternatives with |"],
  ["(?|", "resets its groups by (?|…), which RE2 does not have; write (?:…)"],
];

function syntaxFault(description: string, part: string): string {
  const shown = JSON.stringify(part);
  switch (description) {
    case "invalid or unsupported Perl syntax":
    case "invalid named capture":
      return groupFault(part);
    case "invalid escape sequence":
      return escapeFault(part);
    case "invalid nested repetition operator":
      return part.endsWith("+")
        ? `has a possessive repetition ${part}, which RE2 does not have and does not need: one sign is enough`
        : `repeats a repetition by ${part}; put the first into (?:…)`;
    case "invalid repeat count":
      return `repeats by ${part}, and 1000 times, the smaller number first, is the most that repetitions may come to`;
    case "missing argument to repetition operator":
      return `has nothing before ${part} that it could repeat; a sign that is meant as itself has a backslash before it`;
    case "trailing backslash at end of expression":
      return "ends with a backslash, which stands for nothing";
    case "invalid character class range":
      return part.startsWith("\\")
        ? `has a class of characters that RE2 does not know: ${part}`
        : `has a range of characters that ends before it begins, or a class that is not known: ${shown}`;
    case "missing closing ]":
      return `has a [ without a ] in ${shown}`;
    case "missing closing )":
      return "has a ( without a )";
    case "unexpected )":
      return "has a ) without a (";
    default:
      return description.includes("deep") ? "has more than 1000 groups in one another" : tooLarge;
  }
}

function groupFault(part: string): string {
  if (/^\(\?P?<(?![=!])/.test(part))
    return `has a group whose name is not made of letters, digits and _: ${part}`;
  const known = groupFaults.find(([opening]) => part.startsWith(opening));
  if (known !== undefined) return known[1];
  return `has ${part}, which RE2 does not have; behind (? it knows the flags i, m, s and U, a name as in (?P<loss>…), and a colon`;
}

function escapeFault(part: string): string {
  if (/^\\[1-9kg]/.test(part))
    return `refers back by ${part}, which RE2 does not have; write the group's pattern again`;
  if (/^\\[dswDSW]$/.test(part))
    return `has a range of characters that ends with the class ${part}; a - that is meant as itself stands last, as in [a-z-]`;
  if (part === "\\Z") return "has \\Z, which RE2 does not have; \\z is the end of the text";
  if (part.startsWith("\\u"))
    return `has ${part}, which RE2 does not have; a character by its number is \\x{20AC}`;
  return `has ${part}, which RE2 does not have; a sign that is meant as itself has a backslash, a letter has none`;
}
