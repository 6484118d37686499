/** packages/kernel/src/object/invoke.ts: from a method's number to its decoder and its deed. */
import { decoderName, isChecked } from "./decode.mjs";
import { capitalized, memberOf, nameIn } from "./words.mjs";

/** Where deeds are that are not in a module of the object's name. */
const MODULES = {
  irq: "interrupt",
  imageControl: "image",
  pageTable: "page-table",
  addressSpace: "address-space",
};

const deedName = (object, method) => `${object.name}${capitalized(method.name)}`;

export function dispatch(declaration) {
  const { objects } = declaration;
  const checked = objects.flatMap((object) =>
    object.methods.filter(isChecked).map((method) => decoderName(object, method)),
  );
  const deeds = objects.map((object) => {
    const names = object.methods.map((method) => deedName(object, method)).sort();
    return [
      MODULES[object.name] ?? object.name,
      `import { ${names.join(", ")} } from "./${MODULES[object.name] ?? object.name}.js";`,
    ];
  });
  const imports = [
    ["arguments", 'import { finish, integer } from "./arguments.js";'],
    ["decode", `import { ${checked.sort().join(", ")} } from "./decode.js";`],
    ...deeds,
  ].sort(([a], [b]) => (a < b ? -1 : 1));
  return `/**
 * Invocations of kernel objects: \`call\` on a capability that is no endpoint. Word 0 is the method, which is decoded
 * (see decode.ts) and then done by its object's module. All deeds have one signature: they find their arguments in
 * \`k.operands\`, and the object in the slot that was invoked.
 *
 * HEAD
 */
import { Err, Method, ObjectType } from "@capos/abi";
import type { Context } from "@capos/engine";
import { typeOf } from "../capability/slot.js";
import { Answer } from "../state/answer.js";
import type { Core } from "../state/core.js";
import { wordCount } from "../state/message.js";
import type { SlotRef, ThreadRef } from "../state/references.js";
${imports.map(([, line]) => line).join("\n")}

/** Invokes the object in a slot, which was looked up in this trap. */
export function invoke(k: Core, thread: ThreadRef, context: Context, self: SlotRef): Answer {
  const method = wordCount(context.trap) > 0 ? integer(context, 0) : -1;
  switch (typeOf(k.i32[self])) {
    ${objects.map((object) => `case ObjectType.${nameIn(declaration.ObjectType, object.type)}:\nreturn invoke${object.title}(k, thread, context, self, method);`).join("\n")}
    default:
      return finish(context, Err.BAD_TYPE);
  }
}

${objects.map(invoker).join("\n\n")}
`;
}

function invoker(object) {
  const cases = object.methods.map((method) => {
    const deed = `${deedName(object, method)}(k, thread, context, self)`;
    const call = isChecked(method)
      ? `${decoderName(object, method)}(k, thread, context, self) ? ${deed} : Answer.DONE`
      : deed;
    return `case Method.${memberOf(object, method)}:\nreturn ${call};`;
  });
  return `export function invoke${object.title}(k: Core, thread: ThreadRef, context: Context, self: SlotRef, method: number): Answer {
  switch (method) {
    ${cases.join("\n")}
    default:
      return finish(context, Err.UNSUPPORTED);
  }
}`;
}
