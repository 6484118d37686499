/** packages/libos/src/kernel-calls.ts: kernel objects as functions, a generator for each method. */
import { capitalized, constant, docComment, joined, memberOf, placed, rightNames } from "./words.mjs";

export function stubs(declaration) {
  const parts = declaration.objects.flatMap((object) => [
    ...object.methods.filter((method) => method.answers.length > 1).map(answerType),
    ...object.methods.flatMap((method) => method.arguments.filter(({ kind }) => kind === "words").map(limit)),
    objectStubs(object, declaration),
  ]);
  const body = parts.join("\n\n");
  const used = (names) => names.filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  const abi = used([
    "BYTES_PER_WORD",
    "LifeState",
    "MAX_MESSAGE_WORDS",
    "Method",
    "ObjectType",
    "packBytes",
    "Sys",
    "unpackBytes",
  ]);
  const types = ["LifeState", "ObjectType", "Sys"];
  return `/**
 * Kernel objects as functions: one generator for each method that an object answers.
 *
 * Each is one call on a capability, with the arguments named and the answer unpacked. It throws \`IpcError\` with the
 * kernel's code and what the kernel said besides; a failed invocation changed nothing. The receive window is closed:
 * kernel objects send no capabilities, and what pretends to be one gets no chance to.
 *
 * HEAD
 */
import { ${abi.map((name) => (types.includes(name) ? `type ${name}` : name)).join(", ")} } from "@capos/abi";
import { ${used(["argumentText", "invoke"]).join(", ")} } from "./invocation.js";
import type { Steps } from "./steps.js";
import { ${used(["splitText", "unpackText"]).join(", ")} } from "./text.js";

${body}
`;
}

/** The largest number of words that an argument can have. */
function limit(argument) {
  return `/** Words that ${argument.name} has at most: the message's first is the method. */\nexport const MAX_${constant(argument.name)} = ${argument.max};`;
}

function answerType(method) {
  const fields = method.answers.map((answer) => {
    const note = answer.note === undefined ? "" : `/** ${capitalized(answer.note)}. */\n`;
    return `${note}readonly ${answer.name}: ${typeOf(answer)};`;
  });
  return `${docComment(method.says)}\nexport interface ${method.answerType} {\n${fields.join("\n")}\n}`;
}

function typeOf(answer) {
  const types = { flag: "boolean", orNever: "number | null", text: "string", bytes: "number[] | null" };
  return answer.type ?? types[answer.kind] ?? "number";
}

function objectStubs(object, declaration) {
  const members = object.methods.flatMap((method) => [
    ...method.arguments
      .filter(({ kind }) => kind === "bytes")
      .map(
        (argument) =>
          `/** The most ${argument.name} that one \`${method.name}\` takes. */\nMAX_${constant(argument.name)}: ${argument.max},`,
      ),
    stub(object, method, declaration),
  ]);
  return `/** ${object.says} */\nexport const ${object.name} = {\n${members.join("\n\n")}\n};`;
}

/** One method: the arguments go to their words, the invocation, the answers. */
function stub(object, method, { Right }) {
  const parameters = method.arguments.flatMap(parameter);
  const at = placed(method);
  const payload = at.find(({ argument }) => ["text", "bytes", "words"].includes(argument.kind));
  const fixed = at
    .filter((it) => it !== payload)
    .map(({ argument, at }) => `words[${at}] = ${argument.name};`);
  const what = method.what ?? method.name;
  const call = (count) =>
    `yield* invoke(sys, ${JSON.stringify(what)}, handle, Method.${memberOf(object, method)}, ${count});`;
  const body =
    payload === undefined ? [...fixed, call(at.length + 1)] : invocation(payload, object, what, fixed, call);
  const lines = [...body, ...result(method)].join("\n");
  const head = /\bwords\b/.test(lines) ? "const { words } = sys;\n" : "";
  const needs = method.right === 0 ? "" : `Needs ${rightNames(Right, method.right).join(" and ")}.`;
  const notes = method.arguments.flatMap((argument) => {
    const note = argument.note ?? (argument.kind === "text" ? textNote(argument) : undefined);
    return note === undefined ? [] : [`@param ${argument.name} ${note}`];
  });
  const [only, ...others] = method.answers;
  if (only?.note !== undefined && others.length === 0) notes.push(`@returns ${only.note}`);
  return `${docComment(joined(method.says, needs), notes)}
*${method.name}(${["sys: Sys", "handle: number", ...parameters].join(", ")}): Steps<${resultType(method)}> {
${head}${lines}
},`;
}

function textNote({ max, longer }) {
  if (longer === "refused") return `at most ${max} bytes`;
  return longer === "cut" ? `cut behind ${max} bytes` : "of any length";
}

function parameter(argument) {
  const { name } = argument;
  switch (argument.kind) {
    case "text":
      return [`${name}: string`];
    case "words":
      return [`${name}: readonly number[]`];
    case "bytes":
      return [`${name}: readonly number[]`, "from = 0", `to = ${name}.length`];
    default:
      return [`${name}: ${argument.type ?? "number"}`];
  }
}

/** An invocation whose last argument has any length. */
function invocation({ argument, at }, object, what, fixed, call) {
  const { name, max } = argument;
  switch (argument.kind) {
    case "text": {
      // First: a text that does not fit is refused before a word is written.
      const write = (text) => [
        `const count = argumentText(sys, ${at}, ${JSON.stringify(`${object.name} ${name}`)}, ${text}, ${max});`,
        ...fixed,
        call("count"),
      ];
      if (argument.longer === "refused") return write(name);
      if (argument.longer === "cut") return write(`splitText(${name}, ${max})[0]`);
      return [`for (const part of splitText(${name}, ${max})) {`, ...write("part"), "}"];
    }
    case "bytes":
      return [
        ...fixed,
        `const end = Math.min(to, from + ${max});`,
        `words[${at}] = end - from;`,
        `const packed = packBytes(words, ${at + 1}, ${name}, from, end);`,
        call(`${at + 1} + packed`),
      ];
    default:
      return [
        `const { length } = ${name};`,
        `if (length > MAX_${constant(name)}) throw new RangeError(\`${what}: \${length} words, the limit is \${MAX_${constant(name)}}\`);`,
        ...fixed,
        `for (let i = 0; i < length; i++) words[${at} + i] = ${name}[i];`,
        call(`${at} + length`),
      ];
  }
}

function resultType(method) {
  const { answers } = method;
  if (answers.length === 0) return "void";
  return answers.length === 1 ? typeOf(answers[0]) : method.answerType;
}

function result(method) {
  const { answers } = method;
  if (answers.length === 0) return [];
  if (answers.length === 1 && answers[0].kind === "bytes")
    return [
      "if (words[0] < 0) return null;",
      "const bytes: number[] = [];",
      "unpackBytes(words, 1, Math.min(words[0], (MAX_MESSAGE_WORDS - 1) * BYTES_PER_WORD), bytes, 0);",
      "return bytes;",
    ];
  if (answers.length === 1) return [`return ${unpacked(answers[0], 0)};`];
  const fields = answers.map((answer, i) => `${answer.name}: ${unpacked(answer, i)},`);
  return [`return {\n${fields.join("\n")}\n};`];
}

/** The value of an answer whose first word, of several or of one, is `at`. */
function unpacked(answer, at) {
  const word = `words[${at}]`;
  switch (answer.kind) {
    case "flag":
      return `${word} === 1`;
    case "orNever":
      return `${word} < 0 ? null : ${word}`;
    case "text":
      return `unpackText(words, ${at + 1}, Math.min(${word}, (MAX_MESSAGE_WORDS - ${at + 1}) * BYTES_PER_WORD))`;
    case "number":
    case "handle":
      return word;
    default:
      throw new Error(`${answer.name}: an answer of kind ${answer.kind} must be the only one`);
  }
}
