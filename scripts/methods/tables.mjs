/** The part of docs/abi.md that lists all methods: a table for each object. */
import { capitalized, constant, nameIn, placed, rightNames } from "./words.mjs";

const QUANTITIES = {
  lastCore: "the last core",
  ceiling: "the ceiling of the invoker's process",
  ownCeiling: "its ceiling",
  threadsLeft: "what is left",
};

export function tables(declaration) {
  return declaration.objects.map((object) => table(object, declaration)).join("\n");
}

function table(object, declaration) {
  const rows = object.methods.map((method) => [
    `${constant(method.name)}${rightOf(method.right, declaration)}`,
    `0x${method.number.toString(16)}`,
    placed(method)
      .map(({ argument }) => argumentText(argument, declaration))
      .join("; "),
    method.answers.length === 0 ? "0" : method.answers.map(answerText).join("; "),
    [method.says, ...errorTexts(method, declaration)].join(" "),
  ]);
  const lines = aligned([
    ["method", "number", "arguments", "answers", "what it does, and its own errors"],
    ...rows,
  ]);
  return `### ${object.title}\n\n${object.says}\n\n${lines}\n`;
}

const rightOf = (set, { Right }) => (set === 0 ? "" : ` (${rightNames(Right, set).join(" ")})`);

/** A type by the title of its declaration, or as titles are made. */
function typeText(type, { objects, ObjectType }) {
  const declared = objects.find((object) => object.type === type);
  if (declared !== undefined) return declared.title;
  return nameIn(ObjectType, type).toLowerCase().split("_").map(capitalized).join("");
}

function argumentText(argument, declaration) {
  return withNotes(argument.name, argumentNotes(argument, declaration));
}

function argumentNotes(argument, declaration) {
  const { note } = argument;
  switch (argument.kind) {
    case "integer": {
      if (argument.low === undefined) return [note];
      const high = argument.told ?? argument.high;
      const error =
        argument.error === undefined ? undefined : `else ${nameIn(declaration.Err, argument.error)}`;
      return [`${argument.low} to ${bound(high)}`, error, note];
    }
    case "long":
      return [`${argument.low} to ${bound(argument.high)}`, note];
    case "slot":
      return [argument.of === undefined ? undefined : `a slot of ${argument.of}`, note];
    case "capability": {
      const types = argument.types.map((type) => typeText(type, declaration)).join(" or ");
      return [`${types === "" ? "any" : types} handle${rightOf(argument.right, declaration)}`, note];
    }
    case "handle":
      return ["handle", note];
    case "text":
      return [
        `length, then text, at most ${argument.max} bytes`,
        argument.lenient ? "else none" : undefined,
        note,
      ];
    case "bytes":
      return [`length, then bytes, at most ${argument.max}`, note];
    case "words":
      return [`at most ${argument.max} words`, note];
    default:
      return [note];
  }
}

function answerText(answer) {
  const kinds = {
    flag: "1 or 0",
    orNever: "-1 is never",
    text: "length, then text",
    bytes: "length, then bytes",
  };
  return withNotes(answer.name, [kinds[answer.kind], answer.note]);
}

function withNotes(name, notes) {
  const said = notes.filter((note) => note !== undefined);
  return said.length === 0 ? name : `${name}: ${said.join(", ")}`;
}

function bound(value) {
  if (typeof value === "string") return QUANTITIES[value];
  const bits = Math.log2(value + 1);
  return bits > 16 && Number.isInteger(bits) ? `2^${bits} - 1` : String(value);
}

const errorTexts = (method, { Err }) =>
  method.errors.map(([error, when]) => `${nameIn(Err, error)}: ${when}.`);

/** Rows as lines of a table whose columns stand one below another. */
function aligned(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  const [head, ...rest] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rest.map(line)].join("\n");
}
