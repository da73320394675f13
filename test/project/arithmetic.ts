/** An exact fraction. */
interface Fraction {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const one = 1n;

/**
 * Whether a line of arithmetic such as `(1 - 0.35) x 8,100,000 = 5,265,000` is true, exactly. Knows decimal numbers with
 * commas, `+`, `-`, `x`, `/` and parentheses. Throws for anything else.
 */
export function holds(line: string): boolean {
  const sides = line.split("=");
  const [left, right] = sides;
  if (sides.length !== 2 || left === undefined || right === undefined) throw new Error(`no equation: ${line}`);
  const [a, b] = [evaluate(left), evaluate(right)];
  return a.numerator * b.denominator === b.numerator * a.denominator;
}

function evaluate(text: string): Fraction {
  const tokens = text.match(/[\d,]+(?:\.\d+)?|[-+x/()]|[^\s]/g) ?? [];
  let next = 0;
  const take = (...wanted: readonly string[]) => {
    const token = tokens[next];
    if (token === undefined || !wanted.includes(token)) return undefined;
    next += 1;
    return token;
  };
  const sum = (): Fraction => {
    let total = product();
    for (let sign = take("+", "-"); sign; sign = take("+", "-")) {
      const { numerator, denominator } = product();
      total = {
        numerator: total.numerator * denominator + (sign === "+" ? one : -one) * numerator * total.denominator,
        denominator: total.denominator * denominator,
      };
    }
    return total;
  };
  const product = (): Fraction => {
    let total = operand();
    for (let sign = take("x", "/"); sign; sign = take("x", "/")) {
      const { numerator, denominator } = operand();
      const [over, under] = sign === "x" ? [numerator, denominator] : [denominator, numerator];
      total = { numerator: total.numerator * over, denominator: total.denominator * under };
    }
    return total;
  };
  const operand = (): Fraction => {
    if (!take("(")) return decimal(tokens[next++]);
    const inner = sum();
    if (!take(")")) throw new Error(`a parenthesis is not closed: ${text}`);
    return inner;
  };
  const value = sum();
  if (next < tokens.length) throw new Error(`not arithmetic: ${text}`);
  return value;
}

function decimal(token: string | undefined): Fraction {
  const match = /^(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?$/.exec(token ?? "");
  if (!match) throw new Error(`not a number: ${token}`);
  const [, whole = "", fraction = ""] = match;
  return { numerator: BigInt(whole.replaceAll(",", "") + fraction), denominator: 10n ** BigInt(fraction.length) };
}
