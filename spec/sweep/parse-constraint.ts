/**
 * What people write under `where` (`layers * width <= 512`) as a polynomial against zero. Sums, differences, products,
 * brackets, numbers and names of parameters; no division, no functions, no text. Whether the names exist is not asked here.
 */
import type { Constraint } from "../../protocol/constraint.ts";

export type ConstraintResult =
  | { readonly ok: true; readonly constraint: Constraint }
  /** `column` counts from 1 in the constraint's own text. */
  | { readonly ok: false; readonly column: number; readonly message: string };

/** From the sorted names of a product, joined, to its coefficient. */
type Polynomial = ReadonlyMap<string, number>;

interface Token {
  readonly kind: "number" | "name" | "sign" | "relation" | "end";
  readonly text: string;
  readonly column: number;
}

/** Names end where an operator begins, so a name with a hyphen cannot be written; a dot may stand in one. */
const pattern =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_][\w.]*)|(<=|>=|==|!=|<|>)|([-+*()]))/y;

const charactersMax = 500;
const degreeMax = 8;
const termsMax = 200;
const separator = "\u0000";

class Slip extends Error {
  readonly column: number;
  constructor(column: number, message: string) {
    super(message);
    this.column = column;
  }
}

export function parseConstraint(text: string): ConstraintResult {
  try {
    return { ok: true, constraint: read(text) };
  } catch (error) {
    if (!(error instanceof Slip)) throw error;
    return { ok: false, column: error.column, message: error.message };
  }
}

function read(text: string): Constraint {
  if (text.length > charactersMax)
    throw new Slip(charactersMax, `it is longer than ${charactersMax} characters`);
  const tokens = tokensOf(text);
  let at = 0;
  const peek = (): Token => tokens[at] ?? { kind: "end", text: "", column: text.length + 1 };
  const take = (): Token => {
    const token = peek();
    at++;
    return token;
  };

  const sum = (): Polynomial => {
    let total = product();
    while (peek().text === "+" || peek().text === "-") {
      const sign = take().text === "+" ? 1 : -1;
      total = add(total, product(), sign);
    }
    return total;
  };
  const product = (): Polynomial => {
    let total = factor();
    while (peek().text === "*") {
      const { column } = take();
      if (peek().text === "*") throw new Slip(column, "powers are not known here; write a * a");
      total = multiply(total, factor(), column);
    }
    return total;
  };
  const factor = (): Polynomial => {
    const token = take();
    if (token.text === "-") return add(new Map(), factor(), -1);
    if (token.text === "+") return factor();
    if (token.kind === "number") return new Map([["", Number(token.text)]]);
    if (token.kind === "name") return new Map([[token.text, 1]]);
    if (token.text === "(") {
      const inside = sum();
      const end = take();
      if (end.text !== ")") throw new Slip(end.column, `a ")" is missing`);
      return inside;
    }
    const found = token.kind === "end" ? "it ends here" : `"${token.text}" stands here`;
    throw new Slip(token.column, `a number or a parameter should follow, but ${found}`);
  };

  const left = sum();
  const relation = take();
  if (relation.kind !== "relation") {
    throw new Slip(
      relation.column,
      relation.kind === "end"
        ? "it compares nothing; end it with a relation such as <= 512"
        : `"${relation.text}" does not belong here; an operator or a relation (<=, <, >=, >, ==, !=) should follow`,
    );
  }
  const right = sum();
  const end = take();
  if (end.kind === "relation") throw new Slip(end.column, "it compares twice; write two constraints instead");
  if (end.kind !== "end") throw new Slip(end.column, `"${end.text}" does not belong here`);
  const turned = relation.text === ">" || relation.text === ">=";
  const polynomial = turned ? add(right, left, -1) : add(left, right, -1);
  const terms = [...polynomial]
    .filter(([, coefficient]) => coefficient !== 0)
    .map(([names, coefficient]) => ({
      coefficient,
      parameters: names === "" ? [] : names.split(separator),
    }));
  if (!terms.some(({ parameters }) => parameters.length > 0))
    throw new Slip(1, "it names no parameter, so it holds always or never");
  return { text: text.trim(), terms, relation: relationOf(relation.text) };
}

function relationOf(text: string): Constraint["relation"] {
  switch (text) {
    case "<":
    case ">":
      return "<";
    case "==":
    case "!=":
      return text;
    default:
      return "<=";
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== "") {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) {
      const column = at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0) + 1;
      throw new Slip(column, strange(text.slice(column - 1)));
    }
    const [whole, number, name, relation, sign] = found;
    const word = number ?? name ?? relation ?? sign ?? "";
    const kind =
      number !== undefined
        ? "number"
        : name !== undefined
          ? "name"
          : relation !== undefined
            ? "relation"
            : "sign";
    tokens.push({ kind, text: word, column: at + whole.length - word.length + 1 });
    at += whole.length;
  }
  return tokens;
}

function strange(rest: string): string {
  const sign = rest.slice(0, 1);
  if (sign === "/")
    return 'division is not known here; bring it to the other side: "a / b <= 2" is "a <= 2 * b"';
  if (sign === "=") return 'a comparison is written "=="';
  if (sign === "^") return "powers are not known here; write a * a";
  if (sign === '"' || sign === "'")
    return "text cannot be compared here; use `when` on the parameter that depends on it";
  return `"${sign}" is not known here; there are +, -, *, brackets, numbers, parameters and <=, <, >=, >, ==, !=`;
}

function add(a: Polynomial, b: Polynomial, sign: number): Polynomial {
  const sum = new Map(a);
  for (const [names, coefficient] of b) sum.set(names, (sum.get(names) ?? 0) + sign * coefficient);
  return sum;
}

function multiply(a: Polynomial, b: Polynomial, column: number): Polynomial {
  let product: Polynomial = new Map();
  for (const [aNames, aValue] of a) {
    for (const [bNames, bValue] of b) {
      const names = [...aNames.split(separator), ...bNames.split(separator)].filter((name) => name !== "");
      if (names.length > degreeMax)
        throw new Slip(column, `a product of more than ${degreeMax} parameters is too much`);
      product = add(product, new Map([[names.toSorted().join(separator), aValue * bValue]]), 1);
    }
  }
  if (product.size > termsMax) throw new Slip(column, `it multiplies out to more than ${termsMax} terms`);
  return product;
}
