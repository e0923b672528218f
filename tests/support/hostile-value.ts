/**
 * Values that a schema allows in shape, with something in every text that a terminal would obey: what a hostile agent,
 * program or requester could make a mesh say. Made from the schema itself, so that no field is forgotten.
 */
import * as z from "zod";

/** What the texts carry: titles, clipboards, links, colours, cursors, in 7 and 8 bits, and directions and marks unseen. */
export const hostileTexts: readonly string[] = [
  "\u001b]0;owned\u0007title",
  "\u001b]52;c;ZXZpbA==\u0007clip",
  "\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\",
  "\u001b[31mred\u001b[0m \u001b[2J\u001b[1;1Hhome",
  "\u009b2Jcsi \u009d0;x\u009cosc \u0090dcs\u009c",
  "\u001bPq#0\u001b\\dcs \u001b_apc\u001b\\ \u001b^pm",
  "\u001bcreset \u001b(0 \u001b7",
  "open \u001b]0;never ends",
  "\u202egnitirw\u202c \u2066iso\u2069 \u061cmark \u200e\u200f",
  "zero\u200b\u200c\u200d\u2060\ufeff\u00adwidth",
  "tags\u{e0041}\u{e007f} filler\u3164\u115f\uffa0",
  "bell\u0007 back\b\b\b over\rwritten \u0000nul \u007fdel \u000e\u000f",
  "line\u2028sep\u2029para\u0085nel",
  "next\nline\r\nthird\ttab\u000bvt\u000cff",
  "half \ud800 surrogate",
  "nested \u001b\u001b[31m[31m \u001b[\u001b[m",
];

/** Whatever may not leave but for newlines. */
export const obeyed =
  /[[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]--[\n\p{Variation_Selector}]]/v;

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** `draw`: a whole number from 0, below its argument. */
export function hostileValue(schema: z.ZodType, draw: (below: number) => number): unknown {
  const whole = z.toJSONSchema(schema, {
    unrepresentable: "any",
    io: "output",
    reused: "inline",
    cycles: "throw",
  });
  const text = () =>
    `${hostileTexts[draw(hostileTexts.length)] ?? ""} ${hostileTexts[draw(hostileTexts.length)] ?? ""}`;

  const ofEither = (choices: readonly (JsonSchema | boolean)[]): unknown => {
    const chosen = choices[draw(choices.length)];
    return typeof chosen === "object" ? valueOf(chosen) : text();
  };
  const ofObject = ({ additionalProperties, properties = {} }: JsonSchema): unknown => {
    const own = Object.entries(properties).map(([name, of]) => [
      name,
      typeof of === "object" ? valueOf(of) : text(),
    ]);
    const more = typeof additionalProperties === "object" ? [[text(), valueOf(additionalProperties)]] : [];
    return Object.fromEntries([...own, ...more]);
  };
  const valueOf = (of: JsonSchema): unknown => {
    if (of.const !== undefined) return of.const;
    if (of.enum !== undefined) return of.enum[draw(of.enum.length)];
    const choices = of.anyOf ?? of.oneOf;
    if (choices !== undefined) return ofEither(choices);
    if (of.allOf !== undefined)
      return Object.assign({}, ...of.allOf.map((part) => (typeof part === "object" ? valueOf(part) : {})));
    const types = z
      .array(z.string())
      .or(z.string().transform((one) => [one]))
      .catch([])
      .parse(of.type);
    switch (types[draw(types.length)]) {
      case "object":
        return ofObject(of);
      case "array": {
        const { items, prefixItems } = of;
        if (prefixItems !== undefined)
          return prefixItems.map((each) => (typeof each === "object" ? valueOf(each) : text()));
        const each = typeof items === "object" && !Array.isArray(items) ? items : {};
        return Array.from({ length: Math.max(of.minItems ?? 0, 1 + draw(2)) }, () => valueOf(each));
      }
      case "number":
      case "integer":
        return Math.max(Number(of.minimum ?? 1), Math.min(Number(of.maximum ?? 9), 1 + draw(9)));
      case "boolean":
        return draw(2) === 0;
      case "null":
        return null;
      default:
        return text();
    }
  };
  return valueOf(whole);
}
