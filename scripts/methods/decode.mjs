/**
 * The kernel's side: packages/kernel/src/state/operands.ts, where decoded arguments lie, and
 * packages/kernel/src/object/decode.ts, which checks them.
 */
import { capitalized, docComment, memberOf, nameIn, placed, rightNames } from "./words.mjs";

/** The fields that an argument takes among the operands, and whether it is beyond 32 bits. */
function fieldsOf(argument) {
  switch (argument.kind) {
    case "text":
    case "bytes":
      return [
        ["byteCount", false],
        ["payload", false],
      ];
    case "words":
      return [
        ["wordCount", false],
        ["payload", false],
      ];
    default:
      return [[argument.name, ["handle", "long", "number"].includes(argument.kind)]];
  }
}

export const decoderName = (object, method) => `decode${object.title}${capitalized(method.name)}`;

export function operands({ objects }) {
  const fields = new Map();
  const slots = new Set();
  for (const object of objects) {
    for (const method of object.methods) {
      for (const { kind, name } of method.arguments) if (kind === "capability") slots.add(name);
      for (const [name, isDouble] of method.arguments.flatMap(fieldsOf)) {
        const known = fields.get(name) ?? { isDouble, methods: [] };
        if (known.isDouble !== isDouble)
          throw new Error(
            `${object.name}.${method.name}: "${name}" is a slot or an integer elsewhere; name it otherwise`,
          );
        if (!known.methods.includes(memberOf(object, method))) known.methods.push(memberOf(object, method));
        fields.set(name, known);
      }
    }
  }
  const lines = (isDouble, value) =>
    [...fields]
      .filter(([, field]) => field.isDouble === isDouble)
      .map(([name]) => `${name} = ${value}${slots.has(name) ? " as SlotRef" : ""};`)
      .sort()
      .join("\n");
  return `/**
 * The arguments of the invocation in progress, decoded: each method's own, by the names of its declaration. What a
 * method does not declare is left from an earlier one.
 *
 * A field never changes between an integer and a double, so that a store allocates nothing.
 *
 * HEAD
 */
import type { SlotRef } from "./references.js";

export class Operands {
  // Integers. Of a capability that was looked up: its slot. Of a text, bytes or words: how many, and the register
  // where they begin.
  ${lines(false, "0")}

  // Doubles: handles that the deed looks up, and what is beyond 32 bits.
  ${lines(true, "Number.NaN")}
}
`;
}

export function decode(declaration) {
  const functions = declaration.objects.flatMap((object) =>
    object.methods
      .filter((method) => isChecked(method))
      .map((method) => decoder(object, method, declaration)),
  );
  const body = functions.join("\n\n");
  const used = (names) => names.filter((name) => new RegExp(`\\b${name}\\b`).test(body));
  const from = (names, path) => {
    const found = used(names);
    return found.length === 0 ? "" : `import { ${found.join(", ")} } from "${path}";\n`;
  };
  return `/**
 * What every method checks before it is done: the right it needs, then its arguments in their order, which go to
 * \`k.operands\`. Nothing is changed. True if all is well, else the status is in \`context.result\`, and words 0 and 1
 * are the range that was left.
 *
 * Straight lines, made from a declaration instead of reading it: an invocation takes some hundred nanoseconds.
 *
 * HEAD
 */
// biome-ignore-all lint/correctness/noUnusedFunctionParameters: all of them have one signature
import { Err, ${used(["ObjectType"]).map((name) => `${name}, `)}Reg, Right, ${used(["Slot", "wordsForBytes"]).join(", ")} } from "@capos/abi";
import type { Context } from "@capos/engine";
${from(["findSlot", "hasRight", "lookupArgument", "refusal"], "../capability/lookup.js")}${from(["slotsOf", "typeOf"], "../capability/slot.js")}import type { Core } from "../state/core.js";
${from(["Process", "Thread"], "../state/layout.js")}${from(["wordCount"], "../state/message.js")}import type { SlotRef, ThreadRef } from "../state/references.js";
${from(["handle", "integer"], "./arguments.js")}
/** An argument is outside its range: says which that is. */
function outside(context: Context, low: number, high: number): false {
  context.regs[Reg.WORDS] = low;
  context.regs[Reg.WORDS + 1] = high;
  return refused(context, Err.RANGE);
}

function refused(context: Context, status: number): false {
  context.result = status;
  return false;
}

${body}
`;
}

/** Whether there is anything to decode. */
export const isChecked = (method) => method.right !== 0 || method.arguments.length > 0;

function decoder(object, method, declaration) {
  const { Right } = declaration;
  const lines = [];
  if (method.arguments.length > 0) lines.push("const { operands } = k;");
  if (method.right !== 0)
    lines.push(
      `if (!hasRight(k, self, ${rightText(method.right, Right)})) return refused(context, Err.DENIED);`,
    );
  for (const { argument, at } of placed(method)) lines.push(...check(argument, at, declaration));
  lines.push("return true;");
  const names = placed(method).map(({ argument }) => argument.name);
  return `${docComment(`${object.name}.${method.name}${names.length === 0 ? "" : `: ${names.join(", ")}`}.`)}
export function ${decoderName(object, method)}(k: Core, thread: ThreadRef, context: Context, self: SlotRef): boolean {
  ${lines.join("\n")}
}`;
}

const rightText = (set, Right) =>
  rightNames(Right, set)
    .map((name) => `Right.${name}`)
    .join(" | ");

/** Bounds that the kernel knows when the method is invoked. */
const QUANTITIES = {
  lastCore: "k.coreCount - 1",
  ceiling: "k.i32[k.i32[thread + Thread.PROCESS] + Process.CEILING]",
  ownCeiling: "k.i32[k.i32[self + Slot.OBJECT] + Process.CEILING]",
  threadsLeft: "k.i32[k.i32[thread + Thread.PROCESS] + Process.THREADS_LEFT]",
};

const bound = (value) => QUANTITIES[value] ?? String(value);

/** The statements that read an argument, refuse it or keep it. */
function check(argument, at, declaration) {
  const { name } = argument;
  const keep = `operands.${name} = ${name};`;
  switch (argument.kind) {
    case "integer":
      return [`const ${name} = integer(context, ${at});`, ...integerCheck(argument, declaration), keep];
    case "rights":
      return [
        `const ${name} = integer(context, ${at});`,
        `if (!(${name} >= 0 && ${name} <= Right.ALL)) return outside(context, 0, Right.ALL);`,
        keep,
      ];
    case "slot": {
      const last = argument.of === undefined ? "lastSlot" : `lastSlotOf${capitalized(argument.of)}`;
      return [
        `const ${name} = integer(context, ${at});`,
        `const ${last} = slotsOf(k.i32[${argument.of ?? "self"}]) - 1;`,
        `if (!(${name} >= 1 && ${name} <= ${last})) return outside(context, 1, ${last});`,
        keep,
      ];
    }
    case "long":
      return [
        `const ${name} = context.regs[Reg.WORDS + ${at}];`,
        `if (!(${name} >= ${argument.low} && ${name} <= ${argument.high} && Math.floor(${name}) === ${name})) return outside(context, ${argument.low}, ${argument.high});`,
        keep,
      ];
    case "number":
      return [`operands.${name} = context.regs[Reg.WORDS + ${at}];`];
    case "handle":
      return [`operands.${name} = handle(context, ${at});`];
    case "capability":
      return [...lookup(argument, at, declaration), keep];
    case "words":
      return [
        `operands.wordCount = wordCount(context.trap) - ${at};`,
        `operands.payload = Reg.WORDS + ${at};`,
      ];
    default:
      return payloadCheck(argument, at);
  }
}

function integerCheck({ name, low, high, told, error }, { Err }) {
  if (low === undefined) return [];
  // What is no integer of 32 bits reads as -1.
  if (low < 0) throw new Error(`${name}: an integer's range begins at 0 or above`);
  const isWhole = high === 2 ** 31 - 1;
  const limit = `last${capitalized(name)}`;
  const isSaid = typeof high === "string";
  const high_ = isSaid ? limit : String(high);
  const condition = isWhole ? `${name} >= ${low}` : `${name} >= ${low} && ${name} <= ${high_}`;
  const refused =
    error === undefined
      ? `outside(context, ${low}, ${told === undefined ? high_ : bound(told)})`
      : `refused(context, Err.${nameIn(Err, error)})`;
  return [...(isSaid ? [`const ${limit} = ${bound(high)};`] : []), `if (!(${condition})) return ${refused};`];
}

function lookup({ name, types, right }, at, { ObjectType, Right }) {
  const typeNames = types.map((type) => `ObjectType.${nameIn(ObjectType, type)}`);
  if (types.length === 1)
    return [
      `const ${name} = lookupArgument(k, thread, context, handle(context, ${at}), ${typeNames[0]}, ${rightText(right, Right)});`,
      `if (${name} === 0) return false;`,
    ];
  const lines = [
    `const ${name} = findSlot(k, thread, handle(context, ${at}));`,
    `if (${name} === 0) return refused(context, refusal(k, thread, handle(context, ${at})));`,
  ];
  if (types.length > 0) {
    lines.push(`const ${name}Type = typeOf(k.i32[${name}]);`);
    lines.push(
      `if (${typeNames.map((type) => `${name}Type !== ${type}`).join(" && ")}) return refused(context, Err.BAD_TYPE);`,
    );
  }
  if (right !== 0)
    lines.push(`if (!hasRight(k, ${name}, ${rightText(right, Right)})) return refused(context, Err.DENIED);`);
  return lines;
}

/** A length and what is packed behind it: as many bytes as the message has words for. */
function payloadCheck({ max, lenient }, at) {
  const fits = (count) =>
    `${count} >= 0 && ${count} <= ${max} && ${at + 1} + wordsForBytes(${count}) <= wordCount(context.trap)`;
  const begin = `operands.payload = Reg.WORDS + ${at + 1};`;
  const read = `const byteCount = integer(context, ${at});`;
  if (lenient) return [read, `operands.byteCount = ${fits("byteCount")} ? byteCount : 0;`, begin];
  return [
    read,
    `if (!(${fits("byteCount")})) return outside(context, 0, ${max});`,
    "operands.byteCount = byteCount;",
    begin,
  ];
}
